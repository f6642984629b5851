import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa import Bot, Conversation
from qa.conversation import MEMORY, Leans, Turn
from qa.phrases import content
from qa.reader import Reading
from qa.understanding import understand


def after(*questions, persons=()):
    """A conversation of these questions, the persons found for the last of them."""
    talk = Conversation()
    for question in questions:
        talk = Conversation((*talk.turns, Turn(question, understand(question, talk).text)))
    last = talk.turns[-1]
    return Conversation((*talk.turns[:-1], Turn(last.question, last.understood_as, persons)))


def said(question, talk):
    return understand(question, talk).text


@given(st.text(max_size=60))
def test_without_earlier_questions_a_question_is_itself(question):
    understood = understand(question, Conversation())
    assert understood.text == understood.searched == " ".join(question.split())
    assert understood.carried == ()


@given(st.text(max_size=60), st.lists(st.text(max_size=60), min_size=1, max_size=3))
def test_whatever_was_asked_a_question_keeps_its_words_or_is_completed(question, before):
    understood = understand(question, after(*before, persons=("Ada Lind",)))
    if not understood.carried:
        assert understood.text == " ".join(question.split())


@pytest.mark.parametrize(
    "question",
    [
        "When did people first start making cheese?",
        "What does Harl Bridge cost the county?",
        "Is it true that Harl Bridge was closed?",
        "Are there any wooden bridges left in Tellmere?",
    ],
)
def test_a_question_that_says_all_is_left_as_it_is(question):
    understood = understand(question, after("Who leads the Stannick Philharmonic?"))
    assert understood.leans is Leans.NOT
    assert understood.text == question


def test_he_is_the_person_that_who_asked_for():
    talk = after("Who is going to Geneva?", persons=("Ada Lind", "Ben Orr"))
    understood = understand("Where will she meet Orr?", talk)
    assert understood.text == "Where will Ada Lind meet Orr? (Geneva)"
    assert understood.searched == "Where will Ada Lind meet Orr?"
    assert [(each.stands_for, each.text, each.turn) for each in understood.carried] == [
        ("she", "Ada Lind", 1),
        ("", "Geneva", 1),
    ]


def test_he_is_not_whom_the_question_that_says_he_names():
    talk = after("Who is going to Geneva?", "Where will he meet Orr?")
    assert "Orr" not in understand("How will he get there?", talk).searched


def test_he_is_the_name_in_the_question_before_and_stays_it():
    talk = after("When did Orr travel to Geneva?", "what was he invited to?")
    assert said("and did he go?", talk) == "and did Orr go? (Geneva)"


def test_he_is_whom_a_minister_was_asked_for_after_a_bare_question_too():
    turns = (
        Turn("Which minister went to Oskby?", "Which minister went to Oskby?", ("Ada Lind",)),
        Turn("when?", "when? (Oskby)", ("Ben Orr", "Ada Lind")),
    )
    assert said("what was she shown there?", Conversation(turns)).startswith("what was Ada Lind")


def test_what_has_the_before_its_name_is_no_he_where_a_person_was_found():
    question = "What did the Admiralty say?"
    talk = after(question, persons=("Ada Lind",))
    assert understand("when will she travel?", talk).searched == "when will Ada Lind travel?"
    assert understand("when will she go?", after(question)).searched == "when will Admiralty go?"


def test_a_place_is_no_he():
    talk = after("What can one see in Geneva?")
    assert understand("When was he born?", talk).searched == "When was he born?"


def test_his_and_her_own_and_him_does_not():
    talk = after("Who is Ada Lind?")
    assert said("Who were her parents?", talk) == "Who were Ada Lind’s parents?"
    assert said("Who taught her?", talk) == "Who taught Ada Lind?"
    assert said("What is hers?", talk).startswith("What is Ada Lind’s?")


@pytest.mark.parametrize(
    ("question", "understood"),
    [
        ("Who met her yesterday?", "Who met Ada Lind yesterday?"),
        ("Did anyone see her in Orland?", "Did anyone see Ada Lind in Orland?"),
        ("Who shot her and why?", "Who shot Ada Lind and why?"),
        ("Who shot her, then fled?", "Who shot Ada Lind, then fled?"),
        ("Who visited her last week?", "Who visited Ada Lind last week?"),
        ("Who found her first?", "Who found Ada Lind first?"),
        (
            "What did they give her when she left?",
            "What did they give Ada Lind when Ada Lind left?",
        ),
        ("What was her very first novel?", "What was Ada Lind’s very first novel?"),
        ("What was her last novel?", "What was Ada Lind’s last novel?"),
        ("When did her two-year term end?", "When did Ada Lind’s two-year term end?"),
    ],
)
def test_her_owns_only_what_can_be_owned(question, understood):
    assert understand(question, after("Who is Ada Lind?")).searched == understood


def test_a_pronoun_that_its_own_question_explains_is_left():
    talk = after("Who is Ada Lind?")
    assert understand("What did Ben Orr do to lose his office?", talk).searched == (
        "What did Ben Orr do to lose his office?"
    )


def test_a_bare_question_word_asks_the_same_question_anew():
    talk = after("When did Orr travel to Geneva?")
    assert said("and why?", talk) == "why did Orr travel to Geneva?"


def test_what_says_next_to_nothing_takes_the_words_before_it():
    talk = after("who is ada lind meeting?")
    assert said("and when?", talk) == "and when? (ada lind meeting)"


def test_a_year_is_not_carried_into_another():
    assert said("and in 2021?", after("How many avocets were there in 2023?")) == (
        "and in 2021? (avocets)"
    )


def test_only_the_latest_questions_are_remembered():
    questions = [f"What is the height of tower {number} in feet?" for number in range(40)]
    context = understand("When was it built?", after(*questions)).context
    assert len(context) <= MEMORY + len(questions)
    assert questions[-1] in context
    assert questions[0] not in context


def test_one_long_question_is_remembered_whole():
    long = "What is " + "very " * 300 + "high?"
    assert understand("When was it built?", after(long)).context == long


def test_words_about_asking_are_no_content():
    assert content("Are there any other interesting aspects about this article?") == []


TEXTS = {
    "kim.txt": "A visit to Geneva\n\nPresident Ada Lind travels to Geneva by train.\n\n"
    "Lind stays for two days.",
    "rain.txt": "Rain in Spain\n\nPeople travel by bus when it rains, and stay for seven days.",
}


@pytest.fixture
def bot(tmp_path, toy):
    bot = Bot.open(tmp_path / "library", encoder=toy, reader=None, create=True)
    for name, text in TEXTS.items():
        bot.add_text(text, name)
    return bot


def test_a_follow_up_is_answered_from_what_the_conversation_is_about(bot):
    first = bot.ask("Who travels to Geneva?")
    talk = Conversation().after(first)
    answer = bot.ask("how long does she stay?", conversation=talk)
    assert answer.question == "how long does she stay?"
    assert answer.understood_as == "how long does Ada Lind stay? (Geneva)"
    assert answer.hits[0].citation.source == "kim.txt"
    assert bot.ask("how many days?").hits[0].citation.source == "rain.txt"
    assert bot.ask("how many days?", conversation=talk).hits[0].citation.source == "kim.txt"
    assert bot.search("how many days?", conversation=talk)[0].citation.source == "kim.txt"


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
def test_every_mode_and_filter_takes_a_conversation(bot, mode):
    talk = Conversation().after(bot.ask("Who travels to Geneva?"))
    hits = bot.search("why?", mode=mode, conversation=talk)
    assert hits[0].citation.source == "kim.txt"
    assert set(hits[0].signals) <= {"dense", "lexical", "coverage"}


def test_the_found_passages_are_told_before_they_are_read(tmp_path, toy):
    class Slowly:
        name = "slowly"

        def read(self, question, passages):  # noqa: ARG002 -- as Reads has it
            assert told, "read before anything was told"
            return [Reading(0.5, None, 0.0) for _ in passages]

    told = []
    bot = Bot.open(tmp_path / "library", encoder=toy, reader=Slowly(), create=True)
    bot.add_text(TEXTS["rain.txt"], "rain.txt")
    answer = bot.ask("when do people travel by bus?", found=told.extend)
    assert [hit.passage.id for hit in told] == [hit.passage.id for hit in answer.hits]


def test_a_conversation_is_a_value(bot):
    talk = Conversation()
    longer = talk.after(bot.ask("Who travels to Geneva?"))
    assert not talk
    assert len(longer.turns) == 1
    assert longer.turns[0].persons == ("Ada Lind",)


@pytest.mark.real
def test_conversations_on_the_sample_articles_find_what_was_asked_in_all_turns_but_one(tmp_path):
    here = Path(__file__).parent
    bot = Bot.open(tmp_path / "library", reader=None, create=True)
    bot.add(here.parent / "seeds")

    def finds(turn, talk):
        answer = bot.ask(turn["question"], top_k=3, conversation=talk)
        texts = [hit.passage.text for hit in answer.hits]
        return any(words in text for words in turn["any_of"] for text in texts), answer

    missed, missed_alone = [], []
    for line in (here / "data" / "seed_conversations.jsonl").read_text().splitlines():
        talk = Conversation()
        for turn in json.loads(line)["turns"]:
            found, answer = finds(turn, talk)
            if not found:
                missed.append(turn["question"])
            if not finds(turn, Conversation())[0]:
                missed_alone.append(turn["question"])
            talk = talk.after(answer)
    assert len(missed) <= 1, missed
    assert len(missed) < len(missed_alone), "what came before is of no use"
