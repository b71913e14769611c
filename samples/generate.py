#!/usr/bin/env python3
"""samples/generate.py FOLDER: write the sample corpus, news pages as a scraper finds them, into FOLDER.

The stories (stories.txt) are filled in with places, people and figures, dressed in the menus, notices, adverts and footers
of some invented news sites, and in part printed again elsewhere with small edits, as agency copy is. The same files come
out every time: samples/news holds them.
"""
import hashlib
import os
import re
import sys

COPIES = 4          # times each story is told, each time of another place
REPRINTED = 28      # stories that a second site prints with small edits

# Our own generator, as the standard library does not promise the same draws from one version to the next.
class Draw:
    def __init__(self, seed):
        self.seed, self.count = seed, 0

    def below(self, n):
        self.count += 1
        digest = hashlib.sha256(f"{self.seed}/{self.count}".encode()).digest()
        return int.from_bytes(digest[:8], "little") % n

    def pick(self, items):
        return items[self.below(len(items))]

    def some(self, items, count):
        rest = list(items)
        return [rest.pop(self.below(len(rest))) for _ in range(min(count, len(rest)))]


# town, council, county, river, team, ground, council leader
TOWNS = [
    ("Thornmouth", "Thornmouth City Council", "Marlshire", "Thorne", "Thornmouth City", "Quay Lane", "f Joanna Pryce"),
    ("Eastmarsh", "Eastmarsh Borough Council", "Marlshire", "Lode", "Eastmarsh Town", "the Dykes", "m Colin Farrow"),
    ("Brackenford", "Brackenford Borough Council", "Ardenshire", "Bracken", "Brackenford Athletic", "Weir Road", "f Nasreen Iqbal"),
    ("Otterleigh", "Otterleigh District Council", "Ardenshire", "Otterel", "Otterleigh United", "Tannery Field", "m Gareth Mellor"),
    ("Castle Arden", "Ardenshire County Council", "Ardenshire", "Arden", "Castle Arden", "the Bailey", "f Philippa Stroud"),
    ("Marlhaven", "Marlshire County Council", "Marlshire", "Marl", "Marlhaven Rovers", "Harbour Park", "m Desmond Okafor"),
    ("Netherwick", "Netherwick Council", "Westermoor", "Wick", "Netherwick Albion", "Chapel Street", "f Ruth Tillotson"),
    ("Kilbrannock", "Kilbrannock Council", "Westermoor", "Brannock", "Kilbrannock Thistle", "Ferry Brae", "m Fergus Ballantine"),
    ("Llanferin", "Llanferin Council", "Westermoor", "Ferin", "Llanferin Wanderers", "Cae Glas", "f Carys Bevan"),
    ("Dunmorrow", "Dunmorrow Council", "Northmarch", "Morrow", "Dunmorrow Thistle", "Castle Park", "m Alasdair Geddes"),
    ("Penhallick", "Penhallick Town Council", "Tamarland", "Hallick", "Penhallick Argyle", "Tin Lane", "f Morwenna Tregear"),
    ("Whinfield", "Whinfield Metropolitan Council", "Northmarch", "Whin", "Whinfield Wednesday", "Gas Works Road", "m Tariq Mahmood"),
    ("Stokeley", "Stokeley Borough Council", "Ardenshire", "Stoke Water", "Stokeley Harriers", "Brewery Meadow", "f Bridget Hallam"),
    ("Aldermoor", "Aldermoor District Council", "Tamarland", "Alder", "Aldermoor Town", "the Rec", "m Simon Penrose"),
    ("Greyhaven", "Greyhaven Council", "Northmarch", "Grey", "Greyhaven", "Lighthouse Road", "f Maureen Tait"),
    ("Ravensby", "Ravensby City Council", "Northmarch", "Raven", "Ravensby City", "Minster Way", "m Patrick Sugden"),
    ("Millbeck", "Millbeck Town Council", "Westermoor", "Mill Beck", "Millbeck Victoria", "Dyehouse Lane", "f Hannah Ogden"),
    ("Saltmere", "Saltmere District Council", "Marlshire", "Salter", "Saltmere", "Marine Drive", "m Leonard Crisp"),
    ("Highcombe", "Highcombe Borough Council", "Tamarland", "Combe", "Highcombe Spa", "Pump Field", "f Adaeze Nwosu"),
    ("Fenbridge", "Fenbridge City Council", "Marlshire", "Fen", "Fenbridge Star", "Cattle Market", "m Rupert Lacey"),
]
COASTAL = {"Thornmouth", "Marlhaven", "Kilbrannock", "Penhallick", "Greyhaven", "Saltmere", "Eastmarsh"}
WOMEN = """Amelia Rosie Grace Shabnam Olwen Catriona Beth Yasmin Margaret Elspeth Ngozi Dilys Harriet Magda Priya Josie Una
Winifred Leanne Siobhan Tamsin Vera Zoe Kathleen Aisha Imogen Lorna Pearl""".split()
MEN = """Alan Barnaby Dafydd Edwin Hamish Imran Jack Kofi Laurence Martin Nigel Owen Pawel Quentin Ravi Stuart Trevor Will
Yusuf Angus Bernard Callum Derek Eric Frank Graham Joel Mohammed""".split()
LAST = """Abbott Ainsworth Bashir Birtwistle Calder Chowdhury Cragg Dunstan Eccles Entwistle Fairlie Gathercole Haddow Hussain
Inchbald Jessop Kaur Kettlewell Lamb Lockwood Macrae Nuttall Ogilvie Pargeter Quayle Rahman Rigby Scargill Tunnicliffe
Umney Varley Wadsworth Wooldridge Yelland Adeyemi Bellweather Copplestone Drinkwater Eddowes Featherstone Gill Hebblethwaite
Jagger Kowalski Loveday Marrack Nance Oldroyd Polglase Rowbottom Sidebottom Thwaite Unsworth Vosper Whitlock""".split()
LISTS = {
    "day": "Monday Tuesday Wednesday Thursday Friday Saturday".split(),
    "month": "January February March April May June July September October November December".split(),
    "season": "spring summer autumn winter".split(),
    "uni": ["the University of Ravensby", "Thornmouth University", "the University of Ardenshire", "Tamarland University"],
    "school": ["St Botolph’s Academy", "Beacon Hill School", "Canal Road Primary", "the Elms Academy", "Holy Trinity School",
               "Moorside High School"],
    "pos": ["fourth", "seventh", "ninth", "twelfth", "sixteenth"],
    "thing": ["ichthyosaur", "sea lizard", "crocodile", "giant dragonfly", "pterosaur"],
    "storm": ["Agnes", "Barnaby", "Cordelia", "Duncan", "Edith", "Fergal"],
    "firm": ["Hobday and Sons", "the Albion Brush Works", "Pemberton Brothers"],
    "bake": ["pork pie", "sourdough", "custard tart", "parkin", "lardy cake"],
    "party": ["the Liberal Democrats", "Labour", "the Conservatives", "independents", "the Greens"],
    "fill": ["rubber ducks", "geraniums", "a birthday cake", "daffodils", "plastic flamingos", "tinned spaghetti"],
}
SPELLED = "nought one two three four five six seven eight nine".split()
SITES = [
    # name, quotation marks, date format, menu, notices, footer
    ("The Thornmouth Gazette", "double", "{weekday}, {month} {d}, {y}",
     ["Home", "News", "Sport", "What’s On", "Your Town", "Jobs", "Notices", "Subscribe"],
     ["We use cookies to give you the best experience of our website. By carrying on you agree to our use of cookies.",
      "Sign up for our morning email: the day’s news by seven."],
     "© Gazette Newspapers. Registered at the Old Ropewalk, Thornmouth. Privacy policy | Complaints | Contact us"),
    ("MarlshireLive", "double", "{hh}:{mm}, {d} {month3} {y}",
     ["Menu", "News", "In Your Area", "Marlhaven FC", "Traffic & Travel", "Celebs", "Buy a Photo", "Advertise with us"],
     ["Something went wrong, please try again later.", "Invalid email. When you subscribe we will use the information you "
      "provide to send you these newsletters.", "Read More"],
     "Follow MarlshireLive. Cookie Notice. Terms and Conditions. Modern Slavery Statement. © Mercian Local Media"),
    ("Local Government Notebook", "single", "{d} {month} {y}",
     ["Latest news", "Policy", "Finance", "People", "Opinion", "Jobs", "Events", "Back issues"],
     ["This site is for people who work in councils. Register free to read three articles a month."],
     "Local Government Notebook is published by Pinder Hill Media. ISSN 0000-0000. Advertise | About us | Terms"),
    ("The Northern Ledger", "double", "{d}.{mo}.{yy}",
     ["News", "Business", "Farming", "Rugby League", "Football", "Walks", "Deaths", "Crossword"],
     ["You have {left} free articles left this month.", "To comment you must be a registered reader."],
     "The Northern Ledger, founded 1853. All rights reserved. This newspaper adheres to the editors’ code of practice."),
    ("Public Sector Weekly", "single", "{weekday} {d} {month} {y}",
     ["Home", "Audit, Inspection and Safety", "Health and Social Care", "Housing", "Technology", "Magazine", "Webinars"],
     ["Accept all cookies | Manage my choices", "Download our free guide: Doing More With Less (Again)."],
     "Public Sector Weekly | 4th floor, Corn Exchange, Ravensby | Unsubscribe | Sitemap"),
    ("Coast & Moor", "straight", "{month} {d} {y}",
     ["Home", "Sea", "Land", "Food", "Tides", "Photographs"],
     ["Coast & Moor is run by volunteers. Buy us a cup of tea."],
     "Words and pictures belong to those who made them. Ask nicely."),
    ("The Parish Pump", "straight", "{d}/{mo}/{y}",
     ["HOME", "NEWS", "SPORT", "LETTERS", "SMALL ADS", "CONTACT"],
     ["JavaScript is turned off in your browser. Some parts of this page will not work.", "Print this page  Email a friend"],
     "The Parish Pump - free from the post office, the surgery and the Plough. Next deadline: the 20th."),
]
ADVERTS = [
    "Social Worker, Referral and Assessment. {council}. £{a},{b} - £{c},{b} a year. Closing date: Friday.",
    "Bus drivers wanted. Full training given. Apply to {county} Motor Services, {town} depot.",
    "Senior Planning Officer (Enforcement). {council}. £{c},{b}. Hybrid working.",
    "Care assistants, nights, {town}. £12.{b2} an hour. Own transport an advantage.",
    "Teaching assistant, term time only. Apply by letter to the head teacher.",
    "Deckhand wanted, over 10 metre boat, share of catch. Ring the harbour office, {town}.",
    "Part-time library assistant, {town}, 14 hours. £{a},{b} pro rata.",
    "For sale: upright piano, some keys. Buyer collects. {town}.",
]
SHARE = ["Share this page: Facebook | Twitter | Email | Print", "Comments ({n})", "Share  Tweet  WhatsApp  Copy link",
         "{n} shares", "Save for later", "Add a comment"]
# What a second editor changes. (Applied to some of the places where they fit.)
EDITS = [("told this newspaper", "told the press"), (" said that ", " said "), (" has been ", " was "), ("will now", "are to"),
         ("More than", "Over"), ("Around", "About"), ("on {day}", "this week"), ("leader of the council", "the council leader"),
         (" per cent", "%"), ("isn’t", "is not"), ("couldn’t", "could not"), ("called it", "described it as"),
         ("A report published", "A report issued"), ("families", "households"), ("residents", "people who live there")]


def read_stories(path):
    stories, background, story = [], {}, None
    with open(path, encoding="utf-8") as lines:
        for line in map(str.strip, lines):
            if line.startswith("@ "):
                story = {"topic": line[2:], "heads": [], "body": []}
                stories.append(story)
            elif line.startswith("= "):
                story["heads"].append(line[2:])
            elif line.startswith("~ "):
                topic, text = line[2:].split(": ", 1)
                background.setdefault(topic, []).append(text)
            elif line and not line.startswith("#"):
                story["body"].append(line)
    return stories, background


def person(sex, name):
    he = sex == "m"
    return {"": name, "last": name.split()[-1], "mr": ("Mr " if he else "Ms ") + name.split()[-1],
            "he": "he" if he else "she", "him": "him" if he else "her", "his": "his" if he else "her"}


class Filling:
    """The values of one story's slots; each is drawn once, when first met."""

    def __init__(self, draw, town):
        self.draw = draw
        other = draw.pick([t for t in TOWNS if t is not town])
        self.people = {"leader": person(*town[6].split(" ", 1))}
        self.values = {"town": town[0], "council": town[1], "county": town[2], "river": town[3], "team": town[4],
                       "ground": town[5], "other": other[0], "oteam": other[4]}

    def meet(self, slot, sex):
        taken = [known["last"] for known in self.people.values()]
        first = self.draw.pick(WOMEN if sex == "f" else MEN)
        self.people[slot] = person(sex, f"{first} {self.draw.pick([name for name in LAST if name not in taken])}")

    def value(self, slot):
        capital, slot = slot.endswith("^"), slot.rstrip("^")
        name, _, part = slot.partition(".")
        if "=" in slot:
            name, _, bounds = slot.partition("=")
            low, high = map(int, bounds.split("-"))
            if name not in self.values:
                number = low + self.draw.below(high - low + 1)
                a_year = 1900 <= low and high < 2100
                self.values[name] = str(number) if a_year else f"{number:,}"
            text = self.values[name]
        elif name in self.values:
            text = self.values[name]
        elif name in ("a", "b", "c", "leader"):
            if name not in self.people:
                sex = self.draw.pick("mf")
                self.meet(name, sex)
            text = self.people[name][part]
        elif name == "thing2":
            thing = self.value("thing")
            text = ("an " if thing[0] in "aeiou" else "a ") + thing
        else:
            text = self.values[name] = self.draw.pick(LISTS[name])
        return text[0].upper() + text[1:] if capital else text

    def fill(self, text):
        text = re.sub(r"<([^<>]*)>", lambda m: self.draw.pick(m[1].split("|")), text)
        text = re.sub(r"\{([^{}]+)\}", lambda m: self.value(m[1]), text)
        # Numbers up to nine that stand as words are spelled.
        return re.sub(r"(?<![^ “])[1-9](?=,? [a-z])", lambda m: SPELLED[int(m[0])], text)


def tell(draw, story, background, town):
    """A told story: headline and paragraphs, and the other headlines that it might have had."""
    filling = Filling(draw, town)
    if story["topic"] == "football" and "women" in story["heads"][0]:
        filling.meet("a", "f")
        filling.meet("b", "f")
    if any("oldest known fossil" in head for head in story["heads"]):
        filling.meet("b", "f")
    # Slots that only a headline would define are bound first, whichever headline is taken.
    heads = [filling.fill(head) for head in story["heads"]]
    body = [filling.fill(line.removeprefix("? ")) for line in story["body"]
            if not line.startswith("? ") or draw.below(10) < 7]
    body += [filling.fill(line) for line in draw.some(background.get(story["topic"], []), draw.below(3))]
    heads, body = ([text[0].upper() + text[1:] for text in texts] for texts in (draw.some(heads, len(heads)), body))
    return {"topic": story["topic"], "head": heads[0], "other_heads": heads[1:], "body": body, "town": town}


def reprint(draw, told):
    """The same story as another desk prints it: another headline, a paragraph less, a few words changed."""
    body = list(told["body"])
    del body[2 + draw.below(len(body) - 2)]
    edits = draw.some(EDITS, 8)
    for i, paragraph in enumerate(body):
        for old, new in edits:
            paragraph = paragraph.replace(old, new, 1)
        body[i] = paragraph
    return dict(told, head=told["other_heads"][0], body=body)


def quotation(style, text):
    if style == "single":
        return text.translate(str.maketrans("“”", "‘’"))
    if style == "straight":
        return text.translate(str.maketrans("“”‘’", "\"\"''"))
    return text


def page(draw, told, site, related):
    name, style, date_format, menu, notices, footer = site
    town = told["town"]
    number = lambda low, high: low + draw.below(high - low + 1)
    d, mo, y = number(1, 28), number(1, 12), number(2016, 2023)
    months = "January February March April May June July August September October November December".split()
    date = date_format.format(weekday=draw.pick(LISTS["day"]), d=d, mo=f"{mo:02}", y=y, yy=y % 100, month=months[mo - 1],
                              month3=months[mo - 1][:3].upper(), hh=f"{number(5, 22):02}", mm=f"{number(0, 59):02}")
    reporter = f"{draw.pick(WOMEN + MEN)} {draw.pick(LAST)}"
    notice = lambda: draw.pick(notices).format(left=number(1, 4))
    advert = lambda text: text.format(council=town[1], county=town[2], town=town[0], a=number(21, 33),
                                      b=draw.pick(["000", "450", "816"]), b2=number(10, 95), c=number(34, 49))
    share = lambda: draw.pick(SHARE).format(n=number(0, 64))

    out = [told["head"]]
    if draw.below(3):
        out.append(" | ".join(menu) if draw.below(2) else "\n".join(menu))
    if draw.below(2):
        out.append(notice())
    out.append(draw.pick([f"{reporter} {date}", f"By {reporter}, {town[0]}\n{date}", f"{date}\n{reporter}"]))
    if draw.below(3) == 0:
        out.append(f"{told['head']}  image")
    body = list(told["body"])
    middle = 1 + draw.below(len(body) - 1)
    if draw.below(2):
        body.insert(middle, draw.pick([notice(), share(), "Advertisement", "Story continues below",
                                       f"Read more: {related[-1]}"]))
    out += body
    out.append(share())
    out.append("\n".join([draw.pick(["Related articles", "You may also like", "More on this", "Most read"])] + related[:-1]))
    if draw.below(3):
        out.append("\n".join([draw.pick(["Jobs", "Latest vacancies", "Small ads"])] + [advert(text) for text in draw.some(ADVERTS, number(1, 3))]))
    if draw.below(4) == 0:
        out.append("\n".join(menu))
    out.append(f"{name}\n{footer}")
    return quotation(style, "\n\n".join(out)) + "\n"


def slug(headline):
    words = re.sub(r"[^a-z0-9]+", "-", re.sub(r"[‘’“”,£]", "", headline.lower())).strip("-")
    return words[:64].rsplit("-", 1)[0] if len(words) > 64 else words


def main():
    folder = sys.argv[1]
    stories, background = read_stories(os.path.join(os.path.dirname(os.path.abspath(__file__)), "stories.txt"))
    draw = Draw("trawl samples 1")
    told = []
    for story in stories:
        towns = [t for t in TOWNS if t[0] in COASTAL or story["topic"] != "fishing"]
        told += [tell(draw, story, background, town) for town in draw.some(towns, COPIES)]
    printed = [(story, draw.below(len(SITES))) for story in told]
    for story, site in draw.some(printed, REPRINTED):
        printed.append((reprint(draw, story), (site + 1 + draw.below(len(SITES) - 1)) % len(SITES)))

    os.makedirs(folder, exist_ok=True)
    used = set()
    for story, site in printed:
        # Sites link to stories like the one on the page, and to some that are not.
        alike = [other["head"] for other, _ in printed if other["topic"] == story["topic"] and other["head"] != story["head"]]
        related = draw.some(alike, 2 + draw.below(2)) + draw.some([other["head"] for other, _ in printed], 2)
        name = base = slug(story["head"])
        while name in used:
            name = f"{base}-{sum(n.startswith(base) for n in used) + 1}"
        used.add(name)
        with open(os.path.join(folder, name + ".txt"), "w", encoding="utf-8", newline="\n") as out:
            out.write(page(draw, story, SITES[site], related))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main()
