"""A small library for tests of other software: four articles, the toy encoder, no reading."""

from toy import ToyEncoder

from qa import Bot

ARTICLES = {
    "summit.md": "---\ntitle: Leaders plan a summit\ndate: 2023-09-11\n---\n\n"
    "The two leaders will meet in Vladivostok.\n",
    "weather.md": "---\ntitle: Storm ahead\ndate: 2023-09-12\n---\n\n"
    "Heavy rain is expected on the coast.\n",
    "trains.md": "---\ntitle: Trains\ndate: 2023-08-01\n---\n\nAn armored train left the station.\n",
    "food.md": "---\ntitle: Food\n---\n\nThe town council sends food aid.\n",
}


def news(folder):
    """The bot of a library of the articles, made in the folder."""
    bot = Bot.open(folder / "news", encoder=ToyEncoder(), reader=None, create=True)
    for name, text in ARTICLES.items():
        bot.add_text(text, name)
    return bot
