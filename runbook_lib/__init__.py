"""Runbooks for outbound mail from SAP ABAP systems through Exchange Online."""
