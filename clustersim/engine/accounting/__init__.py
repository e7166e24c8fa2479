"""The accounting of a run: ledger, message table, and names of the columns of history."""

from clustersim.engine.accounting.ledger import Ledger
from clustersim.engine.accounting.messages import message_table

__all__ = ["Ledger", "message_table"]
