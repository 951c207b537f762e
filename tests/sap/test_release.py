"""Releases, products and credentials, as people write them."""

from __future__ import annotations

import pytest

from runbook_lib.errors import InputError
from runbook_lib.sap.release import (
    KERNELS,
    LEAST_BASIS,
    Product,
    parse_basis,
    parse_credential,
    parse_product,
)


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("750", 750),
        ("7.50", 750),
        (" 7.50 ", 750),
        ("SAP_BASIS 750", 750),
        ("SAP_BASIS 750 0027 SAPK-75027INSAPBASIS", 750),
        ("SAP_BASIS\t758\t0002\tSAPK-75802INSAPBASIS", 758),
        ("758 SP 02", 758),
        ("751", 751),
        ("753", 753),
        ("816", 816),
        ("8.16", 816),
        ("740", 740),
        ("702", 702),
        ("620", 620),
        ("46", 46),
    ],
)
def test_a_release_is_read(text: str, release: int) -> None:
    """With or without dot, component and support package."""
    assert parse_basis(text) == release


def test_releases_compare_as_numbers() -> None:
    """8.16 is newer than 7.58, which is newer than 7.50."""
    assert parse_basis("8.16") > parse_basis("7.58") > parse_basis("7.50")


@pytest.mark.parametrize("kernel", sorted(KERNELS))
def test_a_kernel_release_is_refused(kernel: int) -> None:
    """People read it in the same window; it says nothing about SAP_BASIS."""
    with pytest.raises(InputError, match="looks like a kernel release"):
        parse_basis(str(kernel))
    dotted = f"{kernel // 100}.{kernel % 100:02}"
    with pytest.raises(InputError, match="looks like a kernel release"):
        parse_basis(dotted)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "latest",
        "S/4HANA 2023",
        "2023",
        "7",
        "7.5",
        "75",
        "12",
        "45",
        "0.1",
        "7.500",
        "7,50",
        "-750",
        "S4CORE 108",
        "SAP_ABA 750",
        "750\x00",
        "750abc",
    ],
)
def test_what_is_no_release_is_refused(text: str) -> None:
    """With what to give instead; another component's release is not taken."""
    with pytest.raises(InputError, match="not a SAP_BASIS release") as caught:
        parse_basis(text)
    assert "758" in str(caught.value.remedy)


@pytest.mark.parametrize("product", Product)
def test_products(product: Product) -> None:
    """In any case, with blanks around."""
    assert parse_product(f" {product.upper()} ") is product


def test_another_product_is_refused() -> None:
    """With the list of those that are known."""
    with pytest.raises(InputError, match="'r3' is not known") as caught:
        parse_product("r3")
    assert all(product in str(caught.value.remedy) for product in Product)


@pytest.mark.parametrize("kind", LEAST_BASIS)
def test_credentials(kind: str) -> None:
    """Secret and certificate."""
    assert parse_credential(f" {kind.title()} ") == kind


def test_another_credential_is_refused() -> None:
    """With the two that are known."""
    with pytest.raises(InputError, match="'password' is not known"):
        parse_credential("password")
