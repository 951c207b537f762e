"""The clouds that a sandbox can play: host names, resources, ids of app roles.

Each value comes from the published pages of the cloud, except those that
`Cloud.uncertain` names: they were read in field reports only, or nowhere.

Source: Microsoft Learn, "National cloud deployments" (Microsoft Graph), "National
clouds" (Microsoft identity platform), "Microsoft 365 URLs and IP address ranges",
"External Domain Name System records for Office 365"; cisagov/ScubaGear for the
Exchange resources and app roles of the US government clouds.
"""

from dataclasses import dataclass, field

LOCAL = ("localhost", "127.0.0.1", "::1")

# SAP's hosts, the same in every cloud of Microsoft's: a customer's own host names,
# and the API hosts of BTP ABAP environments in one region.
SAP_SUFFIX = "sap.example"
BTP_SUFFIX = "abap.eu10.hana.ondemand.com"


@dataclass(frozen=True)
class Cloud:
    """One cloud. Of several host names the first is the one that metadata names.

    `login_aliases` are further names in instance discovery; `app_roles` replaces
    ids of Exchange app roles, by value; `issuer` is the host of v1.0 issuers.
    """

    name: str
    login: tuple[str, ...]
    login_aliases: tuple[str, ...]
    issuer: str
    graph: str
    exchange: tuple[str, ...]
    exchange_resources: tuple[str, ...]
    submission: tuple[str, ...]
    mx_suffix: str
    spf_include: str
    vault_suffix: str
    management_suffix: str
    initial_suffix: str
    instance_name: str
    environment: str
    app_roles: dict[str, str] = field(default_factory=dict, hash=False)
    uncertain: frozenset[str] = frozenset()

    @property
    def authority(self) -> str:
        """Return the address of the login host that metadata names."""
        return f"https://{self.login[0]}"

    @property
    def graph_root(self) -> str:
        """Return the address of Microsoft Graph v1.0."""
        return f"https://{self.graph}/v1.0"

    @property
    def vault_resource(self) -> str:
        """Return the resource of Key Vault."""
        return f"https://{self.vault_suffix}"

    @property
    def management(self) -> str:
        """Return the host of Azure Resource Manager."""
        return f"management.{self.management_suffix}"

    @property
    def management_resources(self) -> tuple[str, ...]:
        """Return the resources of Azure Resource Manager, the older name first.

        Source: Azure SDK, "AzureAuthorityHosts" and the command line's `az cloud`.
        """
        older = self.management_suffix.replace("azure.com", "windows.net")
        return f"https://management.core.{older}", f"https://{self.management}"

    def mx_name(self, domain: str) -> str:
        """Return the MX endpoint of a domain: dots become dashes.

        Source: Microsoft Learn, "How Microsoft 365 uses MX records".
        """
        return f"{domain.replace('.', '-')}.{self.mx_suffix}"

    @property
    def names(self) -> tuple[str, ...]:
        """Return all host names that the cloud's certificate carries."""
        return (
            *self.login,
            self.graph,
            *self.exchange,
            f"*.{self.exchange[0]}",
            *self.submission,
            f"*.{self.mx_suffix}",
            f"*.{self.vault_suffix}",
            f"*.{SAP_SUFFIX}",
            f"*.{BTP_SUFFIX}",
            self.management,
        )


GLOBAL = Cloud(
    name="global",
    login=("login.microsoftonline.com", "login.microsoft.com", "login.windows.net"),
    login_aliases=("sts.windows.net",),
    issuer="sts.windows.net",
    graph="graph.microsoft.com",
    exchange=("outlook.office365.com", "outlook.office.com"),
    exchange_resources=("https://outlook.office365.com", "https://outlook.office.com"),
    submission=("smtp.office365.com",),
    mx_suffix="mail.protection.outlook.com",
    spf_include="spf.protection.outlook.com",
    vault_suffix="vault.azure.net",
    management_suffix="azure.com",
    initial_suffix="onmicrosoft.com",
    instance_name="microsoftonline.com",
    environment="O365Default",
)

# The three ids that differ in GCC High. Source: cisagov/ScubaGear.
_GCC_HIGH_ROLES = {
    "SMTP.SendAsApp": "ce81e10f-fda1-4348-8947-f7fdb6c649ad",
    "IMAP.AccessAsApp": "28b54159-e98b-4a00-9d52-10c8c7cbd7f3",
    "POP.AccessAsApp": "de49976f-4890-467b-967d-b3847b062f21",
}

GCC_HIGH = Cloud(
    name="gcc-high",
    login=("login.microsoftonline.us", "login.usgovcloudapi.net"),
    login_aliases=(),
    issuer="sts.windows.net",
    graph="graph.microsoft.us",
    exchange=("outlook.office365.us",),
    exchange_resources=("https://outlook.office365.us",),
    submission=("smtp.office365.us",),
    mx_suffix="mail.protection.office365.us",
    spf_include="spf.protection.office365.us",
    vault_suffix="vault.usgovcloudapi.net",
    management_suffix="usgovcloudapi.net",
    initial_suffix="onmicrosoft.us",
    instance_name="microsoftonline.us",
    environment="O365USGovGCCHigh",
    app_roles=_GCC_HIGH_ROLES,
    uncertain=frozenset({"submission", "spf_include"}),
)

DOD = Cloud(
    name="dod",
    login=("login.microsoftonline.us", "login.usgovcloudapi.net"),
    login_aliases=(),
    issuer="sts.windows.net",
    graph="dod-graph.microsoft.us",
    exchange=("outlook-dod.office365.us",),
    exchange_resources=("https://outlook-dod.office365.us",),
    # Also the host of Exchange administration: told apart by port.
    submission=("outlook-dod.office365.us",),
    mx_suffix="mail.protection.office365.us",
    spf_include="spf.protection.office365.us",
    vault_suffix="vault.usgovcloudapi.net",
    management_suffix="usgovcloudapi.net",
    initial_suffix="onmicrosoft.us",
    instance_name="microsoftonline.us",
    environment="O365USGovDoD",
    app_roles=_GCC_HIGH_ROLES,
    uncertain=frozenset({"submission", "mx_suffix", "spf_include", "app_roles"}),
)

CHINA = Cloud(
    name="china",
    login=("login.chinacloudapi.cn", "login.partner.microsoftonline.cn"),
    login_aliases=(),
    issuer="sts.chinacloudapi.cn",
    graph="microsoftgraph.chinacloudapi.cn",
    exchange=("outlook.office365.cn", "partner.outlook.cn"),
    exchange_resources=("https://partner.outlook.cn", "https://outlook.office365.cn"),
    submission=("smtp.partner.outlook.cn",),
    mx_suffix="mail.protection.partner.outlook.cn",
    spf_include="spf.protection.partner.outlook.cn",
    vault_suffix="vault.azure.cn",
    management_suffix="chinacloudapi.cn",
    initial_suffix="partner.onmschina.cn",
    instance_name="partner.microsoftonline.cn",
    environment="O365China",
    uncertain=frozenset(
        {"submission", "mx_suffix", "spf_include", "exchange_resources", "app_roles"}
    ),
)

CLOUDS = {cloud.name: cloud for cloud in (GLOBAL, GCC_HIGH, DOD, CHINA)}


def vault_name(tenant_name: str) -> str:
    """Return the name of the vault that every tenant of the sandbox has."""
    return f"kv-{tenant_name}"
