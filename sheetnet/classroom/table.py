"""All kinds of faults."""

from __future__ import annotations

from collections.abc import Mapping

from sheetnet.classroom.faults_backward import BACKWARD
from sheetnet.classroom.faults_forward import FORWARD
from sheetnet.classroom.faults_places import PLACES
from sheetnet.classroom.faults_update import UPDATE
from sheetnet.classroom.kinds import Kind

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (*FORWARD, *BACKWARD, *UPDATE, *PLACES)}
"""Name -> kind."""
