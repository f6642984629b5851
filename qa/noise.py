"""Marks what is no prose in an article: headlines, captions, teasers and the like.

Each rule speaks of a whole paragraph or line; nothing is deleted. When in doubt a line is prose: an
answer lost costs more than a caption kept.
"""

import re
from collections.abc import Container, Iterator, Sequence

from qa.model import Article, Noise, NoiseKind
from qa.reading.bylines import AGENCY, read_line
from qa.reading.markdown import front_matter
from qa.sentences import LINE_END, paragraphs, trim

# Longer ones are prose, whatever they begin or end with.
_LONGEST = 700
_LONGEST_HEADLINE = 250
_MOST_CAPTION_WORDS = 80
_LONG_SENTENCE = 10
_SENTENCE_END = re.compile(r"[.!?…:][\"'”’)\]]*$")
_HEADLINE_MARKS = re.compile(r"^#{1,6}\s+|\s+#+$|[*_]{2}")
_UNDERLINE = re.compile(r"(?:=+|-{2,})")

_NAME = r"[A-Z][^\s,.;:()]*(?: (?:[A-Z&][^\s,.;:()]*|de|of|for|van|von)){0,5}"
_NAMES = rf"{_NAME}(?:[/,|] ?{_NAME})*"
_PICTURE = r"(?:photo(?:graph)?|picture|image|illustration|graphic|video|screen ?shot)"
_LIBRARY = (
    r"(?:Getty(?: Images)?|AP(?: Photo| Images)?|Associated Press|AFP(?: Photo)?|Reuters|REUTERS|"
    r"EPA(?:-EFE)?|PA(?: Wire| Media| Images)?|Shutterstock|Alamy|iStock(?:photo)?|Xinhua|Kyodo|"
    r"Yonhap|TASS|Sputnik|Bloomberg|NurPhoto|Anadolu(?: Agency)?|UPI|Imago|Unsplash|Pixabay|"
    r"Pexels|Wikimedia Commons|USA TODAY(?: Sports| NETWORK)?|Agencies|NASA|CNN|KCNA|Handout)"
)
_SITE = r"(?:twitter|facebook|instagram|tiktok|linkedin|whatsapp|telegram|youtube|threads|bluesky)"
_STAFF = r"(?:editor|reporter|correspondent|writer|columnist|journalist|producer|intern|fellow)"
# Words that prose ends with too make a credit only where a sentence has ended before them.
_BORDER = r"(?:^|(?<=[.!?\"”’')\]|])\s+)"


def _any(*alternatives: str, flags: int = 0) -> re.Pattern[str]:
    return re.compile(f"(?:{'|'.join(alternatives)})", flags)


# A credit as it stands alone, or at the end of a caption.
_CREDIT = _any(
    # a label: Credit: AP
    rf"(?:\bCredits?|\b(?i:{_PICTURE} credits?))\s*:\s*(?:© ?)?{_NAMES}\.?$",
    # the same after a sentence: Photograph: Jane Doe; Photo by Jane Doe
    rf"{_BORDER}(?i:(?:file )?{_PICTURE}s?(?: courtesy)?)(?:\s*:| (?i:by|of|via)) {_NAMES}\.?$",
    # (AFP Photo), [Photo/Agencies], (Photo by Jane Doe / AFP), (file photo)
    r"[(\[](?:[^()\[\]]{0,60}[ /|])?(?:[Pp]hotos?|PHOTO|"
    r"[Ii]mage)(?:[/:,] ?[^()\[\]]{1,60})?[)\]]\.?$",
    r"[(\[](?i:photos?|pictures?|images?) (?:by|courtesy|via) [^()\[\]]{1,60}[)\]]\.?$",
    # (Jane Doe/Reuters), (Jane Doe via AP), and (AP) after a sentence
    rf"[(\[]{_NAMES}(?: ?[/|] ?| via ){_LIBRARY}[)\]]\.?$",
    rf"{_BORDER}[(\[]{_LIBRARY}[)\]]\.?$",
    # Jane Doe/Pool/Getty Images; Jane Doe, via Reuters
    rf"{_NAME}(?: ?[/|] ?|,? via )(?:{_NAME} ?[/|] ?)*{_LIBRARY}(?: via {_LIBRARY})?$",
    # AP Photo/Jane Doe
    r"\b(?:AP Photo|REUTERS|AFP PHOTO)/\S+(?: \S+){0,4}$",
)

# A line that one of the patterns matches from its beginning is of the kind; the first one decides.
_RULES: tuple[tuple[NoiseKind, re.Pattern[str]], ...] = (
    # Places and agencies that wait for the story: `London CNN —`
    (
        "dateline",
        _any(rf"(?:[A-Z][\w.’'-]*,? ){{0,4}}\(?{AGENCY}\)?(?: [A-Z]\w+)? ?[—–-]+$"),
    ),
    # An agency alone; who helped: `Contributing: …`, `Jane Doe contributed to this report`
    (
        "credit",
        _any(
            rf"[(\[]?(?:{AGENCY}|Getty Images|AP Photo|Shutterstock)(?: Sports)?[)\]]?\.?$",
            rf"(?i:contributing|contributors?|sources?)\s?: ?{_NAME}[^.!?]{{0,200}}\.?$",
            r"(?i:(?:additional |more )?reporting|writing|editing|compiled|with files) "
            rf"(?i:by|from):? {_NAME}[^.!?]{{0,200}}\.?$",
            r"[A-Z][\w.’' ,]{2,120} contributed to this (?:report|story|article)\.?$",
        ),
    ),
    # Openings of captions, and the line that leads into a video
    (
        "caption",
        _any(
            r"(?i:(?:image|photo|video|picture) caption|captions?\s*:|image source)\b",
            r"(?i:file (?:photo|image|picture))\s*[:–—-]|FILE(?: PHOTO)? ?[–—:-] ",
            rf"(?i:{_PICTURE})\s?:\s",
            r"(?i:pictured)(?:\s*[:,]|(?i: above| below| left| right| here)\b)",
            r"(?:File|Handout) (?:photo(?:graph)?|picture|image) of\b",
            r"In this (?:[A-Z][\w.]* \d{1,2},? (?:\d{4},? )?)?(?:file |undated )?"
            r"(?:photo|image|picture) (?:taken|provided|released|made|from|by)\b",
            rf".{{0,200}}\b(?:Correspondent|Editor|Reporter) {_NAME} (?:reports|has more)\.?$",
        ),
    ),
    # A label before a link, or a link alone: `Read more: …`, `Related stories`
    (
        "teaser",
        _any(
            r"(?:read|related)(?: (?:more|next|also|stories|articles|coverage|news|topics))?"
            r"\s?(?:[:|»>→]|[–—-] )",
            r"(?:see also|more|also read|read this|must[- ]reads?|recommended(?: for you)?|"
            r"up next)\s?:",
            r"(?:related (?:reading|links?|content)|don[’']?t miss|in case you missed it)\s?:",
            r"(?:watch|listen)(?: (?:live|now|more|next|the video))?\s?(?::|[–—-] )",
            r"(?:live updates|sign up|subscribe|podcast|newsletter|photos|videos|graphics|"
            r"gallery)\s?:",
            r"(?:[\w']+ )?newsletters?:\s?sign up\b",
            r"(?:read|see|show|load|view|find) more\s*[.!»>→…]*$",
            r"more (?:stories|news|top stories|headlines|(?:on|in) this story|from [\w ]{2,40})$",
            r"related(?: (?:stories|articles|coverage|content|topics|news|links|posts))?$",
            r"(?:most (?:read|popular|viewed)|top stories|editors?[’']?s? picks?|"
            r"what to read next)$",
            r"(?:trending|recommended)(?: (?:now|for you|stories|articles|videos))?$",
            r"(?:you may also like|up next|(?:keep|continue) reading|"
            r"read the full story)\s*[.»>→…]*$",
            r"(?:sign up|subscribe)(?: (?:now|here|today))?\s*[.!»>→…]*$|newsletters?$",
            flags=re.IGNORECASE,
        ),
    ),
    # Invitations to a newsletter, podcast or subscription
    (
        "teaser",
        _any(
            r"sign up (?:here|now|today|to|for|and)\b.{0,300}(?:newsletter|inbox|e-?mail|alerts?|"
            r"briefing|here|free)",
            r"subscribe (?:to|here|now|today)\b.{0,300}(?:newsletter|podcast|channel|here|inbox|"
            r"access|edition)",
            r"(?:listen|subscribe|tune in) (?:to|on|now)\b.{0,160}\b(?:podcasts?|spotify|"
            r"apple podcasts)\b",
            r"(?:click|tap) here\b|download (?:the|our) .{0,40}\bapp\b",
            r"(?:read|see|find|get|view) (?:more|the (?:full|latest|key|rest)|"
            r"all)\b.{0,120}\bhere\b\W*$",
            r"(?:want|looking for|like|love|enjoy)\b[^.?!]{2,140}\?.{0,80}"
            r"\b(?:sign up|subscribe|listen to our|download|click here|newsletter|podcasts?)\b",
            r".{0,300}\blisten to our\b.{0,40}\bpodcasts?\b",
            r".{0,300}\bsign(?:ing)? up (?:here|now|today|for (?:our|the|his|her|free))\b.{0,120}$",
            r".{0,300}\bsubscribe (?:here|now|today|to (?:our|the .{0,30}newsletter))\b.{0,120}$",
            r"(?:.{0,300}(?:[.!]| and) )?become an? .{0,30}\bsubscriber\b",
            r".{0,200}\b(?:delivered|sent|right|straight|updates|directly) to your inbox\b.{0,80}$",
            r".{0,100}\bcheck (?:out )?(?:our|your|the) .{0,50}\bhere ?\.?\)?$",
            flags=re.IGNORECASE,
        ),
    ),
    # Buttons and labels of the page: `Share this article`, `Copy link`, `Advertisement`
    (
        "share",
        _any(
            r"share(?: (?:this|on|via|with|the)\b.{0,60})?\W*$|(?:copy|get) (?:the )?(?:link|url)$",
            r"link copied\W*$",
            r"(?:print|e-?mail|save|bookmark|tweet|pin it)(?: (?:this )?(?:article|page|story))?$",
            r"comments?(?: \(\d+\))?$|leave a (?:comment|reply)$|view comments$",
            r"join the conversation$",
            rf"(?:(?:share|post|tweet|send)\s+)?{_SITE}(?:[\s,|/•·]+(?:{_SITE}|e-?mail|print|"
            rf"copy link))*$",
            r"skip to (?:main )?content$|back to top$|advertise(?:ment|ing)\W*$",
            r"sponsored(?: content)?$",
            r"\(?(?:story|article) continues (?:below|after)\b.{0,40}$",
            r"scroll to continue\b.{0,40}$",
            r"this advertisement has not loaded\b",
            flags=re.IGNORECASE,
        ),
    ),
    # Whom to follow, and how to reach the author
    (
        "share",
        _any(
            rf"(?i:(?:you can )?(?:follow|find us|join us|connect with) .{{0,120}}\b(?:on|at|via) "
            rf".{{0,60}}(?:\b{_SITE}\b|@\w))|(?i:follow) @\w",
            rf"(?i:contact|reach|e-?mail|message|tweet) .{{0,160}}(?:@\w|\b(?i:on {_SITE})\b)",
            r"(?i:follow|like) us\b",
            r"(?i:have a|got a|do you have) .{0,80}\b(?:tips?|story|question)\b.{0,120}@",
            rf".{{0,200}}\b{_STAFF}\b.{{0,200}}"
            r"\b(?i:follow|e-?mail|reach|contact|send|can be reached)"
            rf" (?:him|her|them|me|us|on|at|[A-Z]\w+)\b.{{0,120}}(?:@\w|\b(?i:{_SITE})\b)",
        ),
    ),
    # Cookies, copyright and other small print
    (
        "share",
        _any(
            r"(?:we|(?:this|our) (?:web)?site|this page) uses? cookies\b",
            r"(?:accept|manage|reject)(?: all)? cookies\b",
            r"by (?:continuing|using|clicking|signing up)\b.{0,80}\byou (?:agree|accept|consent)\b",
            r"cookie (?:policy|settings|preferences)$|(?:please )?enable javascript\b",
            r"(?:copyright )?(?:©|\(c\)) ?\d{4}|copyright \d{4}|.{0,120}\ball rights reserved\.?$",
            r"this material may not be published\b",
            r"to (?:view|watch|play) this (?:video|content),? ",
            flags=re.IGNORECASE,
        ),
    ),
)


def mark(article: Article) -> tuple[Noise, ...]:
    """What is no prose in an article: whole paragraphs or lines, in order, none overlapping."""
    text = article.text
    matter = front_matter(text)
    body = matter.end() if matter else 0
    found = [Noise(*trim(text, 0, body), "frontmatter")] if matter else []
    prose = False
    for start, end in paragraphs(text):
        lines = list(_lines(text, max(start, body), end))
        headline = _headline(text, article.title, lines)
        for begin, stop in _unwrapped(text, lines, headline):
            kind: NoiseKind | None = "headline" if begin in headline else _kind(text[begin:stop])
            if kind:
                found.append(Noise(begin, stop, kind))
            else:
                prose = True
    # An article that is nothing but its title says something with it.
    return tuple(noise for noise in found if prose or noise.kind != "headline")


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The lines between two offsets, without white space around them and blank ones left out."""
    begin = start
    for match in [*LINE_END.finditer(text, start, end), None]:
        line = trim(text, begin, match.start() if match else end)
        if line[0] < line[1]:
            yield line
        begin = match.end() if match else end


def _headline(text: str, title: str, lines: Sequence[tuple[int, int]]) -> set[int]:
    """Where the lines of a paragraph begin that are the article's title, and no sentence of it."""
    if len(title) > _LONGEST_HEADLINE or (
        title.endswith(".") and len(title.split()) >= _LONG_SENTENCE
    ):
        return set()
    found = set()
    for index, (start, end) in enumerate(lines):
        line = text[start:end]
        following = text[slice(*lines[index + 1])] if index + 1 < len(lines) else ""
        if _UNDERLINE.fullmatch(line):
            found |= {start} if index and lines[index - 1][0] in found else set()
        elif len(line) <= 2 * _LONGEST_HEADLINE and not following[:1].islower():
            found |= {start} if _unmarked(line) in {title, _unmarked(title)} else set()
    return found


def _unmarked(line: str) -> str:
    return " ".join(_HEADLINE_MARKS.sub("", line).split())


def _unwrapped(
    text: str, lines: Sequence[tuple[int, int]], headline: Container[int]
) -> Iterator[tuple[int, int]]:
    """The lines, those put together that go on in the middle of a sentence or with a credit."""
    start = end = -1
    for line in lines:
        goes_on = start >= 0 and start not in headline and _goes_on(text, (start, end), line)
        if start >= 0 and not goes_on:
            yield start, end
        start, end = (start if goes_on else line[0]), line[1]
    if start >= 0:
        yield start, end


def _goes_on(text: str, before: tuple[int, int], line: tuple[int, int]) -> bool:
    opening = text[line[0]]
    ending = text[max(before[0], before[1] - 4) : before[1]]
    return (opening.islower() or opening in "([") and not _SENTENCE_END.search(ending)


def _kind(stretch: str) -> NoiseKind | None:
    """What a line or paragraph is; None for prose."""
    if len(stretch) > _LONGEST:
        return None
    line = " ".join(stretch.split()).strip("*_ ")
    if said := read_line(line):
        return said.kind
    for kind, pattern in _RULES:
        if pattern.match(line):
            return kind
    credit = _CREDIT.search(line)
    if not credit or len(line.split()) > _MOST_CAPTION_WORDS:
        return None
    return "caption" if line[: credit.start()].strip() else "credit"
