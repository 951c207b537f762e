"""Built-in directory roles: their template ids, the same in every tenant.

Source: Microsoft Learn, "Microsoft Entra built-in roles".
"""

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
EXCHANGE_ADMINISTRATOR = "29232cdf-9323-42fd-ade2-1d097af3e4de"
GLOBAL_READER = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
APPLICATION_ADMINISTRATOR = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"
CLOUD_APPLICATION_ADMINISTRATOR = "158c047a-c907-4556-b7ef-446551a6b5f7"
APPLICATION_DEVELOPER = "cf1c38e5-3621-4004-a7cb-879624dced7c"
PRIVILEGED_ROLE_ADMINISTRATOR = "e8611ab8-c189-46e8-94e1-60213ab1f814"

# Each tenant draws the ids of its directory roles in this order.
SEEDED_ROLES = {
    GLOBAL_ADMINISTRATOR: "Global Administrator",
    EXCHANGE_ADMINISTRATOR: "Exchange Administrator",
    GLOBAL_READER: "Global Reader",
    APPLICATION_ADMINISTRATOR: "Application Administrator",
}
ROLE_TEMPLATES = SEEDED_ROLES | {
    CLOUD_APPLICATION_ADMINISTRATOR: "Cloud Application Administrator",
    APPLICATION_DEVELOPER: "Application Developer",
    PRIVILEGED_ROLE_ADMINISTRATOR: "Privileged Role Administrator",
}

# The claim `wids` of an application, and of a user, without any directory role.
NO_ROLE_APPLICATION = "0997a1d0-0d1d-4acb-b408-d5ca73121e90"
NO_ROLE_USER = "b79fbf4d-3ef9-4689-8143-76b194e85509"
