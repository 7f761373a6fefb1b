"""Words that tell a person's data by the name of its column, and first names that tell it by its cells."""

from __future__ import annotations

from collections.abc import Mapping


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


PERSONS = _set(
    "customer client patient person employee contact user owner holder cardholder member passenger student applicant "
    "borrower tenant guest father mother spouse partner child kunde kunden kundin mitarbeiter patientin cliente "
    "empleado paciente usager salarie dipendente klant klient"
)
"""Before a plain word for a name these make it a person's."""

NAMES = frozenset({"name", "nom", "nome", "nombre", "naam", "namn", "navn", "imie", "names"})
SURE_NAMES = _set(
    "firstname lastname surname forename fullname givenname familyname middlename maidenname username nickname login "
    "vorname nachname familienname prenom apellido apellidos cognome voornaam achternaam nazwisko sobrenome fornamn "
    "efternamn fornavn etternavn efternavn sukunimi etunimi"
)
"""Single words, or two words of a column's name put together."""

NAME_PAIRS = _set("first last full given family middle maiden user nick nachname pre")

WORDS: Mapping[str, frozenset[str]] = {
    "e-mail": _set("email mail emailaddress mailaddress correo courriel epost eposta emails"),
    "phone": _set(
        "phone telephone tel telefon telefono telefone mobile mobil cellphone cell gsm fax handy handynummer rufnummer "
        "telefonnummer movil celular portable phonenumber msisdn"
    ),
    "street address": _set(
        "address addr adresse anschrift street strasse straat adres calle direccion indirizzo endereco rue gata ulica "
        "adress via"
    ),
    "postcode": _set(
        "zip zipcode postcode postal postalcode plz postleitzahl cep pincode postnummer postnr codepostal codigopostal"
    ),
    "date of birth": _set(
        "dob birth birthdate birthday dateofbirth geburtsdatum geburtstag naissance nacimiento nascita nascimento "
        "geboortedatum urodzenia fodelsedatum fodselsdato"
    ),
    "national number": _set(
        "ssn sin nino nhs socialsecurity taxid passport passportnumber steuerid steuernummer sozialversicherungsnummer "
        "nir dni nie bsn pesel cpf aadhaar personnummer codicefiscale nationalid iban"
    ),
    "geo coordinates": frozenset({"latitude", "longitude", "lat", "lon", "lng", "gps"}),
}

NOT_OF_A_PERSON = _set(
    "type kind count verified valid has is opt provider domain service version mac wallet contract company "
    "product file host column table brand city country region state weight rate"
)
"""With one of these in a column's name, the words above say nothing about a person."""

FIRST_NAMES = _set(
    "james mary john patricia robert jennifer michael linda william elizabeth david barbara richard susan joseph "
    "jessica "
    "thomas sarah charles karen christopher nancy daniel lisa matthew betty anthony margaret mark sandra donald ashley "
    "steven kimberly paul emily andrew donna joshua michelle kenneth carol kevin amanda brian dorothy george melissa "
    "edward deborah ronald stephanie timothy rebecca jason sharon jeffrey laura ryan cynthia jacob kathleen amy anna "
    "peter hans klaus wolfgang jurgen ursula monika sabine petra andreas stefan martin lukas leon finn jonas mia emma "
    "hannah lena jean pierre michel andre philippe marie nathalie isabelle sylvie camille lea louis hugo jose antonio "
    "juan manuel francisco luis javier maria carmen ana isabel dolores lucia sofia mario giuseppe giovanni luca marco "
    "francesco giulia chiara francesca joao pedro paulo carlos fernanda mariana jan piet kees johan anne willem pawel "
    "piotr krzysztof agnieszka katarzyna malgorzata erik lars karl anders johanna ingrid olga elena ivan dmitri sergei "
    "mohammed ahmed ali omar fatima aisha wei li ming yuki hiroshi kenji priya raj amit anita sanjay sunita alice bob "
    "grace henry samuel oliver jack harry charlotte amelia isla ava ruth helen frank eric adam simon julia clara "
    "nicole claudia alexander benjamin oscar max felix paula eva irene victor hector diego"
)
