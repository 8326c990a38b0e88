"""Names, places and words of the four countries the demo retailer sells in."""

from __future__ import annotations

from dataclasses import dataclass

COUNTRIES = ("FR", "GB", "DE", "ES")
LANGUAGES = ("fr", "en", "de", "es")
COUNTRY_SHARES = (0.45, 0.20, 0.20, 0.15)


@dataclass(frozen=True)
class Pool:
    """Words of one country; texts are separated by blanks or bars to keep the file readable."""

    female: tuple[str, ...]
    male: tuple[str, ...]
    last: tuple[str, ...]
    streets: tuple[str, ...]
    # City, first digits of its postcodes; the rest is numbered.
    cities: tuple[tuple[str, tuple[str, ...]], ...]
    companies: tuple[str, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split("|"))


def _cities(text: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    result = []
    for entry in _parts(text):
        city, codes = entry.split(":")
        result.append((city.strip(), tuple(code.strip() for code in codes.split(","))))
    return tuple(result)


FRANCE = Pool(
    female=_words(
        "Marie Camille Léa Chloé Emma Manon Inès Jade Louise Alice Sarah Julie Sophie Isabelle "
        "Nathalie Catherine Sylvie Françoise Monique Hélène Valérie Sandrine Stéphanie Céline "
        "Aurélie Émilie Élodie Laura Pauline Mathilde Charlotte Clémence Margaux Anaïs Océane "
        "Lucie Zoé Noémie Agathe Jeanne Marguerite Thérèse Brigitte Martine Véronique Patricia "
        "Anne-Sophie Marie-Claire Anne Claire Amélie Delphine Karine Laëtitia Fatima Nadia Yasmine"
    ),
    male=_words(
        "Jean Pierre Michel Philippe Alain Bernard Jacques Daniel Christophe Nicolas Julien Thomas "
        "Antoine Maxime Alexandre Lucas Hugo Louis Gabriel Arthur Raphaël Paul Jules Adam Léo "
        "Théo Nathan Mathis Clément François Frédéric Stéphane Sébastien Jérôme Cédric Benoît "
        "Rémi Grégory Éric Gérard André René Marcel Loïc Yann Mickaël Guillaume Romain Vincent "
        "Jean-Pierre Jean-Luc Jean-Marc Mohamed Karim Mehdi Samir Olivier Laurent Pascal Didier"
    ),
    last=_words(
        "Martin Bernard Thomas Petit Robert Richard Durand Dubois Moreau Laurent Simon Michel "
        "Lefèvre Leroy Roux David Bertrand Morel Fournier Girard Bonnet Dupont Lambert Fontaine "
        "Rousseau Vincent Muller Lefebvre Faure André Mercier Blanc Guérin Boyer Garnier Chevalier "
        "François Legrand Gauthier Garcia Perrin Robin Clément Morin Nicolas Henry Roussel Mathieu "
        "Gautier Masson Marchand Duval Denis Dumont Marie Lemaire Noël Meyer Dufour Meunier Brun "
        "Blanchard Giraud Joly Rivière Lucas Brunet Gaillard Barbier Arnaud Martinez Gérard Roche "
        "Renard Schmitt Roy Leroux Colin Vidal Caron Picard Roger Fabre Aubert Lemoine Renaud "
        "Dumas Lacroix Olivier Philippe Bourgeois Pierre Benoît Rey Leclerc Payet Rolland Leclercq "
        "Guillaume Lecomte Lopez Jean Dupuy Guillot Hubert Berger Carpentier Sanchez Dupuis Moulin "
        "Louis Deschamps Huet Vasseur Perez Boucher Fleury Royer Klein Jacquet Adam Paris Poirier "
        "Marty Aubry Guyot Carré Charles Renault Charpentier Ménard Maillard Baron Bertin Bailly "
        "Hervé Schneider Fernandez Collet Léger Bouvier Julien Prévost Millet Perrot Daniel Cousin"
    ),
    streets=_parts(
        "rue des Lilas | rue de la République | avenue Victor Hugo | rue Pasteur | place Foch | "
        "boulevard Gambetta | rue Jean Jaurès | rue du Moulin | "
        "chemin des Vignes | rue de l'Église "
        "| allée des Tilleuls | impasse du Château | "
        "rue Émile Zola | quai de Saône | rue Molière | "
        "avenue de la Gare | rue des Écoles | "
        "rue du Général Leclerc | rue Voltaire | cours Lafayette"
    ),
    cities=_cities(
        "Paris: 75001, 75011, 75012, 75015, 75018, 75020 | Lyon: 69001, 69003, 69006, 69008 | "
        "Marseille: 13001, 13005, 13008 | Toulouse: 31000, 31200, 31400 | Nice: 06000, 06200 | "
        "Nantes: 44000, 44100, 44300 | Strasbourg: 67000, 67100 | Montpellier: 34000, 34070 | "
        "Bordeaux: 33000, 33200, 33800 | Lille: 59000, 59800 | Rennes: 35000, 35200 | "
        "Reims: 51100 | Saint-Étienne: 42000, 42100 | Le Havre: 76600 | Toulon: 83000 | "
        "Grenoble: 38000, 38100 | Dijon: 21000 | Angers: 49000 | Nîmes: 30000 | Brest: 29200 | "
        "Tours: 37000 | Limoges: 87000 | Amiens: 80000 | Metz: 57000 | Besançon: 25000 | "
        "Orléans: 45000 | Rouen: 76000 | Caen: 14000 | Nancy: 54000 | Ajaccio: 20000"
    ),
    companies=_words("Atelier Boulangerie Cabinet Garage Imprimerie Librairie Menuiserie Studio"),
)

BRITAIN = Pool(
    female=_words(
        "Olivia Amelia Isla Ava Emily Sophie Grace Lily Ella Jessica Charlotte Lucy Hannah Sarah "
        "Emma Laura Rebecca Rachel Victoria Elizabeth Margaret Susan Patricia Linda Christine "
        "Karen Julie Deborah Alison Helen Amanda Nicola Claire Lisa Katherine Jennifer Megan "
        "Chloe Bethany Zoe Abigail Siobhán Aoife Niamh Priya Aisha Fatima Mary Anne Joan Ruth"
    ),
    male=_words(
        "Oliver George Harry Jack Jacob Noah Charlie Muhammad Thomas Oscar William James Henry "
        "Alfie Joshua Daniel Matthew Christopher Andrew Robert Richard Michael David Stephen Paul "
        "Mark Simon Ian Graham Keith Alan Peter John Anthony Kevin Gary Stuart Neil Gareth Owen "
        "Callum Liam Connor Ryan Adam Benjamin Samuel Edward Alexander Joseph Rajesh Imran Seán"
    ),
    last=_words(
        "Smith Jones Taylor Brown Williams Wilson Johnson Davies Robinson Wright Thompson Evans "
        "Walker White Roberts Green Hall Wood Jackson Clarke Patel Khan Lewis James Phillips Mason "
        "Mitchell Rose Davis Rodgers Turner Cooper Hill Ward Carter Moore Baker Harris Martin Lee "
        "King Allen Morris Watson Bennett Young Scott Adams Griffiths Edwards Hughes Bell Murphy "
        "Price Shaw Cook Ali Kelly Begum Marshall Simpson Collins Richardson Parker Ellis Webb "
        "Palmer Foster Chapman Campbell Stewart Anderson Murray Reid Graham Hussain O'Connor "
        "O'Brien O'Neill McDonald MacLeod Fitzgerald Barnes Knight Butler Russell Fisher Dixon "
        "Stone Harrison Holmes Mills Grant Fletcher Pearson Gibson Matthews Lloyd Powell Rees"
    ),
    streets=_parts(
        "High Street | Church Road | Station Road | London Road | Victoria Road | Green Lane | "
        "Manor Road | Park Avenue | Queen's Road | Mill Lane | The Crescent | Kings Road | "
        "St John's Road | Windsor Close | New Street | School Lane | Albert Terrace | Oak Drive"
    ),
    cities=_cities(
        "London: SW1A 1AA, N1 9GU, E2 8DY, SE15 4QL, W6 0NT | Manchester: M1 1AE, M14 5TQ | "
        "Birmingham: B1 1HQ, B13 8EN | Leeds: LS1 4DY, LS6 2AE | Glasgow: G1 1XQ, G12 8QQ | "
        "Edinburgh: EH1 1YZ, EH9 1PR | Bristol: BS1 4DJ | Liverpool: L1 8JQ | Cardiff: CF10 1EP | "
        "Belfast: BT1 5GS | Sheffield: S1 2HE | Newcastle upon Tyne: NE1 7RU | York: YO1 7HH | "
        "Nottingham: NG1 5DT | Leicester: LE1 6RN | Brighton: BN1 1AE | Oxford: OX1 1PT | "
        "Cambridge: CB2 3PP | Norwich: NR2 1TF | Exeter: EX1 1EE | Swansea: SA1 3SN"
    ),
    companies=_words("Harbour Oakfield Northgate Bridge Meadow Castle Riverside Summit"),
)

GERMANY = Pool(
    female=_words(
        "Anna Lena Mia Emma Hannah Sophia Leonie Marie Laura Julia Lisa Sarah Katharina Sabine "
        "Susanne Petra Monika Ursula Renate Helga Ingrid Karin Gisela Brigitte Andrea Claudia "
        "Nicole Stefanie Anja Silke Heike Käthe Jördis Franziska Johanna Lea Luisa Charlotte "
        "Nele Greta Frieda Ayşe Elif Zeynep Antje Birgit Doris Ulrike Ute Anne-Kathrin Bärbel"
    ),
    male=_words(
        "Lukas Leon Paul Jonas Finn Noah Elias Ben Felix Maximilian Alexander Michael Thomas "
        "Andreas Stefan Christian Markus Martin Peter Hans Klaus "
        "Jürgen Günther Werner Horst Dieter "
        "Uwe Bernd Frank Ralf Jörg Sven Torsten Matthias Sebastian Daniel Tobias Florian Jan Tim "
        "Moritz Björn Sören Rüdiger Götz Mehmet Mustafa Ali Karl-Heinz Hans-Peter Wolfgang Heinz"
    ),
    last=_words(
        "Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch "
        "Bauer Richter Klein Wolf Schröder Neumann Schwarz "
        "Zimmermann Braun Krüger Hofmann Hartmann "
        "Lange Schmitt Werner Schmitz Krause Meier Lehmann Schmid Schulze Maier Köhler Herrmann "
        "König Walter Mayer Huber Kaiser Fuchs Peters Lang Scholz Möller Weiß Jung Hahn Schubert "
        "Vogel Friedrich Keller Günther Frank Berger Winkler Roth Beck Lorenz Baumann Franke "
        "Albrecht Schuster Simon Ludwig Böhm Winter Kraus Martin Schumacher Krämer Vogt Stein "
        "Jäger Otto Sommer Groß Seidel Heinrich Brandt Haas Schreiber Graf Dietrich Ziegler Kuhn "
        "Kühn Pohl Engel Horn Busch Bergmann Thomas Voigt Sauer Arnold Wolff Pfeiffer Yılmaz Kaya"
    ),
    streets=_parts(
        "Hauptstraße | Bahnhofstraße | Gartenstraße | Schulstraße | Lindenweg | Dorfstraße | "
        "Bergstraße | Goethestraße | Schillerstraße | Kirchgasse | Mühlenweg | Am Markt | Ringstr. "
        "| Rosenweg | Wiesenstraße | Beethovenstraße | Kastanienallee | Birkenweg | Feldstraße"
    ),
    cities=_cities(
        "Berlin: 10115, 10245, 10437, 12043, 13353 | Hamburg: 20095, 22303, 22765 | "
        "München: 80331, 80636, 81541 | Köln: 50667, 50823 | Frankfurt am Main: 60311, 60486 | "
        "Stuttgart: 70173 | Düsseldorf: 40213 | Leipzig: 04109, 04229 | Dortmund: 44135 | "
        "Essen: 45127 | Bremen: 28195 | Dresden: 01067 | Hannover: 30159 | Nürnberg: 90402 | "
        "Münster: 48143 | Karlsruhe: 76131 | Mainz: 55116 | Freiburg: 79098 | Lübeck: 23552 | "
        "Erfurt: 99084 | Rostock: 18055 | Kiel: 24103 | Würzburg: 97070"
    ),
    companies=_words("Elektro Autohaus Bäckerei Druckerei Tischlerei Praxis Kanzlei Werkstatt"),
)

SPAIN = Pool(
    female=_words(
        "María Carmen Ana Isabel Laura Cristina Marta Lucía Sofía Paula Elena Raquel Sara Pilar "
        "Teresa Rosa Antonia Dolores Josefa Mercedes Concepción Ángeles Beatriz Silvia Patricia "
        "Nuria Mónica Irene Rocío Alba Andrea Julia Claudia Valeria Martina Daniela Carla Inés "
        "Begoña Montserrat Encarnación Noelia Lorena Miriam Verónica María-José Ainhoa Itziar"
    ),
    male=_words(
        "Antonio Manuel José Francisco David Juan Javier Daniel Carlos Jesús Alejandro Miguel "
        "Rafael Pablo Ángel Sergio Fernando Jorge Luis Alberto Álvaro Adrián Diego Raúl Iván "
        "Rubén Óscar Enrique Ramón Vicente Andrés Joaquín Santiago Eduardo Víctor Mario Roberto "
        "Hugo Martín Lucas Mateo Nicolás Íñigo Gonzalo José-Luis Juan-Carlos Ignacio Emilio"
    ),
    last=_parts(
        "García | Rodríguez | González | Fernández | López | Martínez | Sánchez | Pérez | Gómez | "
        "Martín | Jiménez | Ruiz | Hernández | Díaz | Moreno | Muñoz | Álvarez | Romero | Alonso | "
        "Gutiérrez | Navarro | Torres | Domínguez | Vázquez | Ramos | Gil | Ramírez | Serrano | "
        "Blanco | Molina | Morales | Suárez | Ortega | Delgado | Castro | Ortiz | Rubio | Marín | "
        "Sanz | Núñez | Iglesias | Medina | Garrido | Cortés | Castillo | Santos | Lozano | Cano | "
        "Guerrero | Prieto | Méndez | Cruz | Calvo | Gallego | Herrera | Vidal | León | Márquez | "
        "Peña | Flores | Cabrera | Campos | Vega | Fuentes | Carrasco | Díez | Reyes | Caballero | "
        "Nieto | Aguilar | Pascual | Santana | Herrero | Lorenzo | Montero | Hidalgo | Giménez | "
        "Ibáñez | Ferrer | Durán | Santiago | Vicente | Benítez | "
        "Mora | Arias | Vargas | Carmona | "
        "de la Cruz | del Río | García López | Pérez Gil | Ruiz Soto | Sanz Vega | López Mora"
    ),
    streets=_parts(
        "Calle Mayor | Avenida de la Constitución | Calle Real | Plaza España | Calle del Sol | "
        "Paseo de Gracia | Calle San Juan | Calle Nueva | Ronda de Toledo | Calle Cervantes | "
        "Avenida del Mediterráneo | Calle Goya | Camino Viejo | Calle Colón | Travesía del Pilar"
    ),
    cities=_cities(
        "Madrid: 28001, 28010, 28012, 28020, 28045 | Barcelona: 08001, 08012, 08028, 08036 | "
        "Valencia: 46001, 46010 | Sevilla: 41001, 41010 | Zaragoza: 50001 | Málaga: 29001, 29016 | "
        "Murcia: 30001 | Palma: 07001 | Bilbao: 48001, 48011 | Alicante: 03001 | Córdoba: 14001 | "
        "Valladolid: 47001 | Vigo: 36201 | Gijón: 33201 | A Coruña: 15001 | Granada: 18001 | "
        "Donostia-San Sebastián: 20001 | Cádiz: 11001 | Logroño: 26001 | Almería: 04001"
    ),
    companies=_words("Talleres Panadería Gestoría Estudio Clínica Bodegas Farmacia Librería"),
)

POOLS = (FRANCE, BRITAIN, GERMANY, SPAIN)

# Short forms people really write; both sides occur in the pools above or are typed by hand.
NICKNAMES = {
    "Alexandre": "Alex", "Alexander": "Alex", "Andrew": "Andy", "Antonio": "Toño",
    "Benjamin": "Ben", "Catherine": "Cathy", "Charlotte": "Charlie", "Christopher": "Chris",
    "Christian": "Chris", "Concepción": "Concha", "Daniel": "Dan", "David": "Dave",
    "Dolores": "Lola", "Edward": "Ted", "Elizabeth": "Liz", "Francisco": "Paco",
    "Franziska": "Franzi", "Frédéric": "Fred", "Grégory": "Greg", "Guillaume": "Guigui",
    "Isabelle": "Isa", "Jennifer": "Jenny", "Jessica": "Jess", "José": "Pepe",
    "Joseph": "Joe", "Joshua": "Josh", "Katharina": "Kathi", "Katherine": "Kate",
    "Margaret": "Maggie", "Matthew": "Matt", "Matthias": "Matze", "Maximilian": "Max",
    "Maxime": "Max", "Michael": "Mike", "Michel": "Mimi", "Nicolas": "Nico",
    "Nicholas": "Nick", "Patricia": "Pat", "Philippe": "Phil", "Rebecca": "Becky",
    "Richard": "Dick", "Robert": "Bob", "Samuel": "Sam", "Sandrine": "Sandy",
    "Sebastian": "Basti", "Sébastien": "Seb", "Stefanie": "Steffi", "Stephen": "Steve",
    "Stéphanie": "Steph", "Susan": "Sue", "Theresa": "Terry", "Thomas": "Tom",
    "Tobias": "Tobi", "Victoria": "Vicky", "Vincent": "Vince", "William": "Bill",
}  # fmt: skip

FAMILY_MAILBOXES = ("famille", "family", "familie", "familia")
MAIL_DOMAINS = (
    ("courriel.example", "poste.example", "boite.example", "example.com", "example.org"),
    ("inbox.example", "mail.example", "post.example", "example.com", "example.net"),
    ("postfach.example", "mail.example", "brief.example", "example.com", "example.org"),
    ("correo.example", "buzon.example", "mail.example", "example.com", "example.net"),
)

JUNK_EMAILS = (
    "test@test.com", "noreply@example.com", "client@magasin.example", "refuse@refuse.example",
    "aa@aa.aa", "x@x.x", "nomail@nomail.com", "pasdemail@example.fr", "info@example.com",
    "no-reply@example.com", "contact@example.com", "email@email.com",
)  # fmt: skip
NULL_WORDS = (
    "NULL", "null", "n/a", "N/A", "-", "none", "nan", "unknown", "inconnu", "?", "undefined", "",
)  # fmt: skip
JUNK_PHONES = ("0000000000", "0600000000", "0123456789", "1111111111", "9999999999")
