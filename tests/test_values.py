import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.values import compare, value_of, whole

SAME = [
    ("Sept. 10-13", "10–13 September"),
    ("September 10 to 13", "Sept. 10-13, 2023"),
    ("between September 10 and 13", "10–13 September"),
    ("30 September to 2 October", "Sept. 30 - Oct. 2"),
    ("April 2019", "April 25, 2019"),
    ("2019-04-25", "the 25th of April 2019"),
    ("Monday, Sept. 11", "September 11"),
    ("September", "10–13 September"),
    ("2014–2018", "from 2014 to 2018"),
    ("8 p.m.", "20:00"),
    ("late on Monday", "on Monday"),
    ("noon", "12 p.m."),
    ("1,200", "1200"),
    ("twelve hundred", "1,200"),
    ("12 people", "twelve"),
    ("1.2 million", "1,234,567"),
    ("$5 million", "$5m"),
    ("$1.2 billion", "$1,200 million"),
    ("2 to 3 million", "2–3 million"),
    ("half a million", "500,000"),
    ("two dozen", "24"),
    ("5%", "five per cent"),
    ("5 km", "five kilometres"),
    ("5m", "5 metres"),
    ("5m high", "five metres high"),
    ("€5m", "5 m euros"),
    ("5m euros", "5 million euros"),
    ("two and a half million", "2.5 million"),
    ("one and a half hours", "1.5 hours"),
    ("-12 degrees", "minus 12 degrees"),
    ("-12 degrees", "12 degrees below zero"),
    ("A$5 million", "5 million Australian dollars"),
    ("A$5 million", "$5 million"),
    ("54-year-old", "aged 54"),
    ("the third", "3rd"),
    ("2019", "2,019"),
    ("Lind", "Ada Lind"),
    ("the foreign minister Ada Lind", "Dr. Lind"),
    ("Orvo, the capital", "the city of Orvo"),
    ("CWI", "Coastal Weather Institute"),
    ("armored train", "his armored train"),
]
DIFFER = [
    ("in August", "July"),
    ("2019", "2020"),
    ("April 2019", "April 2020"),
    ("12 September", "12 October"),
    ("10-13 Oct.", "10–12 October"),
    ("1990s", "2004"),
    ("Monday", "on Tuesday"),
    ("8 p.m.", "9:30 pm"),
    ("spring 2019", "autumn 2019"),
    ("12", "15"),
    ("twenty-one", "22"),
    ("more than 100", "80"),
    ("about 50", "90"),
    ("5 per cent", "7%"),
    ("third", "fourth"),
    ("1800", "1,900"),
    ("$340 million", "$410 million"),
    ("Ada Lind", "Per Holm"),
    ("-12 degrees", "-15 degrees"),
    ("-12 degrees", "15 degrees"),
    ("two and a half million", "3.5 million"),
    ("A$5 million", "A$7 million"),
]
UNSURE = [
    ("Monday", "Sept. 11"),
    ("2019", "April"),
    ("Sept 11", "10–13 September"),
    ("early August", "late August"),
    ("before August", "August"),
    ("January", "winter"),
    ("Dec 30 to Jan 2", "Dec 30"),
    ("1990s", "1994"),
    ("Monday", "10–13 September"),
    ("2014–2018", "May to July"),
    ("13/9/2023", "14 September 2023"),
    ("12 people", "15 ships"),
    ("at least 12", "15"),
    ("up to 20", "15"),
    ("about 50", "52"),
    ("300", "312"),
    ("12 to 15", "13"),
    ("$5 million", "€4 million"),
    ("5 km", "3 miles"),
    ("six weeks", "44 days"),
    ("first", "one"),
    ("5-3", "3-1"),
    ("Kim Il", "Kim Ok"),
    ("Norway", "Bergen"),
    ("UN", "Oslo"),
    ("Ada Lind and Per Holm", "Eva Moe"),
    ("by train", "by plane"),
    ("guilty", "not guilty"),
    ("Ada Lind", "1921"),
    ("1332", "four days"),
    ("Ada Lind", "Wednesdays"),
    ("Boeing 737", "an Airbus"),
    ("5m people", "5 million people"),
    ("5 m people", "5 million people"),
    ("8m", "eight million"),
    ("a 5m wall", "5 million bricks"),
    ("2 and a half million", "2.5 million"),
    ("an hour and a half", "1.5 hours"),
    ("-12 degrees", "12 degrees"),
    ("12 degrees below zero", "12 degrees"),
    ("minus 10 to 12 degrees", "-11 degrees"),
    ("A$5 million", "US$5 million"),
    ("A$7 million", "$5 million"),
    ("the USA", "the United States"),
    ("NYC", "New York"),
    ("DRC", "Congo"),
    ("BBC News", "the British Broadcasting Corporation"),
]


@pytest.mark.parametrize(
    ("one", "other", "verdict"),
    [
        (*pair, verdict)
        for verdict, pairs in (("same", SAME), ("differ", DIFFER), ("unsure", UNSURE))
        for pair in pairs
    ],
)
def test_two_answers_say_the_same_exclude_each_other_or_neither(one, other, verdict):
    assert compare(value_of(one), value_of(other)) == verdict
    assert compare(value_of(other), value_of(one)) == verdict


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("in August", "date"),
        ("2019", "date"),
        ("on Friday evening", "date"),
        ("may", "text"),
        ("1,200", "number"),
        ("2019 people", "number"),
        ("12 dead and 15 hurt", "text"),
        ("Ada Lind", "name"),
        ("because of the rain", "text"),
        ("in the coming days", "text"),
        ("", "text"),
    ],
)
def test_a_text_is_of_the_kind_that_it_states(text, kind):
    assert value_of(text).kind == kind


@pytest.mark.parametrize(
    ("text", "words", "widened"),
    [
        ("It killed at least 12 million birds.", "12", "at least 12 million"),
        ("Opened in April 2019 by her.", "April", "April 2019"),
        ("It closed before 2000 for good.", "2000", "before 2000"),
        ("They met in Orvo on Monday.", "Orvo", "Orvo"),
        ("It fell to -12 degrees.", "12 degrees", "-12 degrees"),
        ("It fell to minus 12 at night.", "12", "minus 12"),
        ("They took the A-12 home.", "12", "12"),
        ("They won 10-12 at home.", "12", "10-12"),
        ("It cost A$5 million then.", "5 million", "A$5 million"),
        ("Two and a half million came.", "million", "Two and a half million"),
    ],
)
def test_a_span_is_widened_to_the_date_or_number_that_it_cuts_into(text, words, widened):
    start = text.index(words)
    begin, end = whole(text, start, start + len(words))
    assert text[begin:end].strip() == widened


PARTS = "12 -12 minus 5m 1,200 1.5 million bn % $ A$5 half below zero USA at least about May Sept. 10-13 2019 Monday 8 p.m. the Ada of to - and first a hundred"


@given(st.lists(st.sampled_from(PARTS.split()), max_size=6), st.text(max_size=12))
def test_every_text_has_a_value_that_is_the_same_as_itself_or_unsure(parts, tail):
    text = " ".join([*parts, tail])
    assert compare(value_of(text), value_of(text)) in {"same", "unsure"}


@given(*[st.lists(st.sampled_from(PARTS.split()), max_size=5)] * 2)
def test_the_order_of_two_answers_does_not_matter(one, other):
    a, b = value_of(" ".join(one)), value_of(" ".join(other))
    assert compare(a, b) == compare(b, a)
