"""One invented town: what stands in every register of it, so that they hang together. One file an entity."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from extractors.synthesis.town import (
    bank_accounts,
    changes,
    household_amounts,
    households,
    org_units,
    parties,
    protective_measures,
    residents,
    taxable_amounts,
)
from extractors.synthesis.town.contract import Entity

ENTITIES: tuple[Entity, ...] = (
    households.ENTITY,
    residents.ENTITY,
    changes.ENTITY,
    taxable_amounts.ENTITY,
    household_amounts.ENTITY,
    protective_measures.ENTITY,
    org_units.ENTITY,
    parties.ENTITY,
    bank_accounts.ENTITY,
)

BY_NAME: Mapping[str, Entity] = MappingProxyType({entity.name: entity for entity in ENTITIES})
