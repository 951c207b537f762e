"""Headers of received messages, invented: good ones, and what may be wrong."""

from __future__ import annotations

RUN = "20261123T172500Z-abcdef"
TO, FROM = "ops@example.com", "sap@contoso.com"
MESSAGE_ID = "<AM0PR01MB0001ABCDEF@AM0PR01MB0001.eurprd01.prod.outlook.com>"

RECEIVED_INSIDE = """\
Received: from AM0PR01CA0001.eurprd01.prod.outlook.com (2603:10a6::1)
 by AM0PR01MB0001.eurprd01.prod.outlook.com with Microsoft SMTP Server
 (version=TLS1_2, cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.20.0.1;
 Mon, 23 Nov 2026 17:31:06 +0000
"""
RESULTS = """\
Authentication-Results: spf=pass (sender IP is 203.0.113.10)
 smtp.mailfrom=contoso.com; dkim=pass (signature was verified)
 header.d=contoso.com;dmarc=pass action=none header.from=contoso.com;compauth=pass
 reason=100
"""
RECEIVED_FROM_SAP = """\
Received: from erp.contoso.com (203.0.113.10) by
 AM0PEPF00000001.mail.protection.outlook.com (10.1.1.1) with Microsoft SMTP
 Server (version=TLS1_3, cipher=TLS_AES_256_GCM_SHA384) id 15.20.0.1;
 Mon, 23 Nov 2026 17:31:05 +0000
"""
MESSAGE = f"""\
From: SAP <{FROM}>
To: {TO}
Subject: Test runbook:{RUN}
Message-ID: {MESSAGE_ID}
Date: Mon, 23 Nov 2026 17:31:02 +0000
MIME-Version: 1.0
"""
GOOD = RECEIVED_INSIDE + RESULTS + RECEIVED_FROM_SAP + MESSAGE
