"""The SAP side: releases, notes, and the values to enter there."""
