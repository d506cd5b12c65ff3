"""Exception syndrome values (ESR_ELx): what they say, field by field."""

from whypanic.arch.esr.fault_status import FaultKind
from whypanic.arch.esr.syndrome import EsrView, decode_esr

__all__ = ["EsrView", "FaultKind", "decode_esr"]
