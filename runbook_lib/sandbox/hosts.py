"""The host names of the global cloud that the sandbox answers for.

Source: Microsoft Learn, "Microsoft 365 URLs and IP address ranges" and
"National cloud deployments".
"""

LOGIN = ("login.microsoftonline.com", "login.microsoft.com", "login.windows.net")
GRAPH = ("graph.microsoft.com",)
EXCHANGE = ("outlook.office365.com", "outlook.office.com")
SUBMISSION = ("smtp.office365.com",)
LOCAL = ("localhost", "127.0.0.1", "::1")

MX_SUFFIX = "mail.protection.outlook.com"


def mx_name(domain: str) -> str:
    """Return the MX endpoint of a domain: dots become dashes.

    Source: Microsoft Learn, "How Microsoft 365 uses MX records".
    """
    return f"{domain.replace('.', '-')}.{MX_SUFFIX}"
