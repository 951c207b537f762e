"""OData query options: strict where Graph is."""

from urllib.parse import quote

import pytest

from tests.sandbox.directory import Directory, equals, error_of
from tests.sandbox.world import World

ADVANCED = {"ConsistencyLevel": "eventual"}


def names(directory: Directory, text: str) -> list[str]:
    """Return the names of the applications that a filter finds."""
    found = directory.read(f"applications?$filter={quote(text)}")
    return [entry["displayName"] for entry in found["value"]]


def test_filters_that_are_played() -> None:
    """Equality, prefix, list, and and or."""
    with World() as world:
        directory = Directory(world)
        both = ["SAP SMTP OAuth (old)", "SAP SMTP"]
        assert names(directory, "displayName eq 'sap smtp'") == ["SAP SMTP"]
        assert names(directory, "startswith(displayName, 'SAP')") == both
        assert names(directory, "startsWith(displayName,'sap smtp o')") == both[:1]
        clause = "displayName in ('SAP SMTP', 'Payroll Connector')"
        assert names(directory, clause) == ["SAP SMTP", "Payroll Connector"]
        clause = "displayName eq 'SAP SMTP' or displayName eq 'nobody'"
        assert names(directory, clause) == ["SAP SMTP"]
        clause = "displayName eq 'SAP SMTP' and signInAudience eq 'x'"
        assert names(directory, clause) == []


def test_words_inside_quotes_are_no_operators() -> None:
    """A name with and, or and a quote is a name."""
    name = "Müller's mail and relay or 'so'"
    with World() as world:
        directory = Directory(world)
        directory.new_application(name)
        found = directory.read(f"applications?{equals('displayName', name)}")
    assert [entry["displayName"] for entry in found["value"]] == [name]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("displayName eq 'O'Brien'", "BadRequest"),
        ("displayName eq Relay", "BadRequest"),
        ("displayName = 'Relay'", "BadRequest"),
        ("", "BadRequest"),
        ("unknown eq 'x'", "BadRequest"),
        ("startswith(displayName,null)", "BadRequest"),
        ("description eq 'x'", "Request_UnsupportedQuery"),
        ("displayName ne 'x'", "Request_UnsupportedQuery"),
        ("endswith(displayName,'x')", "Request_UnsupportedQuery"),
        ("startswith(appId,'x')", "Request_UnsupportedQuery"),
    ],
)
def test_filters_that_are_refused(text: str, code: str) -> None:
    """A filter that cannot be read, or needs advanced queries, is an error."""
    with World() as world:
        path = f"applications?$filter={quote(text)}"
        answer = Directory(world).send("GET", path)
    assert error_of(answer)[:2] == (400, code)


def test_literals_have_the_type_of_their_property() -> None:
    """A GUID property takes a bare GUID; quotes make the filter invalid."""
    with World() as world:
        directory = Directory(world)
        exchange = directory.exchange()["id"]
        operator = directory.operator.client_id
        path = f"servicePrincipals(appId='{operator}')/appRoleAssignments?$filter="
        found = directory.read(path + quote(f"resourceId eq {exchange}"))["value"]
        quoted = directory.send("GET", path + quote(f"resourceId eq '{exchange}'"))
        enabled = directory.read(
            "servicePrincipals?$filter=" + quote("accountEnabled eq false")
        )
    assert [entry["resourceId"] for entry in found] == [exchange]
    assert error_of(quoted) == (400, "BadRequest", "Invalid filter clause")
    assert enabled["value"] == []


def test_select_returns_just_what_was_asked_for() -> None:
    """And the context says so."""
    with World() as world:
        found = Directory(world).read("applications?$select=displayName,appId&$top=1")
    (entry,) = found["value"]
    assert list(entry) == ["displayName", "appId"]
    assert found["@odata.context"].endswith("#applications(displayName,appId)")


def test_next_link_keeps_the_query() -> None:
    """Filter and selection hold on every page."""
    with World() as world:
        directory = Directory(world)
        query = quote("startswith(displayName,'Invoice')")
        first = directory.read(f"applications?$filter={query}&$select=id&$top=1")
        second = directory.read(first["@odata.nextLink"])
    assert first["@odata.nextLink"].startswith("https://graph.microsoft.com/v1.0/")
    assert list(second["value"][0]) == ["id"]
    assert second["value"] != first["value"]
    assert "@odata.nextLink" not in second


@pytest.mark.parametrize("top", ["0", "1000", "-1", "all"])
def test_page_sizes_that_are_refused(top: str) -> None:
    """A page has between 1 and 999 objects."""
    with World() as world:
        answer = Directory(world).send("GET", f"applications?$top={top}")
    assert answer.status_code == 400
    assert "page size" in error_of(answer)[2]


def test_foreign_page_token_is_refused() -> None:
    """A token that the service did not make has expired."""
    with World() as world:
        answer = Directory(world).send("GET", "applications?$skiptoken=x")
    assert error_of(answer)[1] == "Directory_ExpiredPageToken"


@pytest.mark.parametrize("option", ["$search", "$apply", "$skip"])
def test_options_that_are_not_played_are_refused(option: str) -> None:
    """An option is never ignored in silence."""
    with World() as world:
        answer = Directory(world).send("GET", f"applications?{option}=x")
    assert error_of(answer)[:2] == (400, "Request_UnsupportedQuery")


def test_sorting_needs_advanced_queries() -> None:
    """With the header and a count it works, without it is refused."""
    query = "applications?$orderby=displayName%20desc&$count=true"
    with World() as world:
        directory = Directory(world)
        plain = directory.send("GET", query)
        found = directory.read(query, headers=ADVANCED)
        unknown = directory.send(
            "GET", "applications?$orderby=x&$count=true", headers=ADVANCED
        )
    assert error_of(plain)[1] == "Request_UnsupportedQuery"
    listed = [entry["displayName"] for entry in found["value"]]
    assert listed == sorted(listed, key=str.lower, reverse=True)
    assert found["@odata.count"] == len(listed)
    assert unknown.status_code == 400
