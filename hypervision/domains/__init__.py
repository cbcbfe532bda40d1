"""Sensor domains as data: one TOML file each, found by being here."""

from __future__ import annotations

from hypervision.domains.catalogue import Catalogue, Cause, Domain, ObservedProperty, RuleTemplate, StateLabel
from hypervision.domains.reading import catalogue_of, load

__all__ = ["Catalogue", "Cause", "Domain", "ObservedProperty", "RuleTemplate", "StateLabel", "catalogue_of", "load"]
