"""Objects that few have: macvlans, neighbours, the uplink as a port, what the host holds on it; files of containers.

The rule of this file: it hands each to the part that knows the kernel's words for it; both are loaded only
where there are any.
"""

from __future__ import annotations

import os

from containernet.kernel import attached
from containernet.model.network import HOST, Place
from containernet.plan.objects import HeldAddress, HeldRoute, Macvlan, Neighbour, Object, Port, Resolver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from containernet.kernel.door import Heard
    from containernet.kernel.netns import Spaces


class Beside:
    """Makes and takes away what is beside bridges and veth pairs."""

    def __init__(self, spaces: Spaces) -> None:
        self._spaces = spaces

    def add(self, thing: Object) -> None:
        """Make what is not there."""
        route = self._spaces.route
        if isinstance(thing, Macvlan):
            self._add_macvlan(thing)
        elif isinstance(thing, Port):
            attached.add_port(route(HOST), thing)
        elif isinstance(thing, Neighbour):
            from containernet.kernel import neighbours

            neighbours.add(route(thing.place), thing)
        elif isinstance(thing, HeldAddress | HeldRoute):
            from containernet.kernel import held

            held.add(route(HOST), thing)
        elif isinstance(thing, Resolver):
            from containernet.kernel import resolv

            resolv.add(thing)

    def advertised(self, place: Place, link: str) -> Heard:
        """Return what routers have told a container's interface."""
        from containernet.kernel import advertised

        descriptor = self._spaces.open(place)
        try:
            return advertised.heard(self._spaces.route(HOST), self._spaces.route(place), descriptor, link)
        finally:
            os.close(descriptor)

    def _add_macvlan(self, thing: Macvlan) -> None:
        if thing.place == HOST:
            return attached.add_macvlan(self._spaces.route(HOST), self._spaces.route(HOST), thing, -1)
        descriptor = self._spaces.open(thing.place)
        try:
            return attached.add_macvlan(self._spaces.route(HOST), self._spaces.route(thing.place), thing, descriptor)
        finally:
            os.close(descriptor)

    def remove(self, thing: Object) -> None:
        """Take away what is there."""
        route = self._spaces.route
        if isinstance(thing, Macvlan):
            attached.remove_macvlan(route(thing.place), thing)
        elif isinstance(thing, Port):
            attached.remove_port(route(HOST), thing)
        elif isinstance(thing, Neighbour):
            from containernet.kernel import neighbours

            neighbours.remove(route(thing.place), thing)
        elif isinstance(thing, HeldAddress | HeldRoute):
            from containernet.kernel import held

            held.remove(route(HOST), thing)
        elif isinstance(thing, Resolver):
            from containernet.kernel import resolv

            resolv.remove(thing)

    def change(self, thing: Object) -> None:
        """Bring a macvlan, a neighbour or a file back to what it should be."""
        if isinstance(thing, Resolver):
            from containernet.kernel import resolv

            return resolv.change(thing)
        if isinstance(thing, Neighbour):
            from containernet.kernel import neighbours

            return neighbours.put(self._spaces.route(thing.place), thing)
        assert isinstance(thing, Macvlan)
        return attached.change_macvlan(self._spaces.route(HOST), self._spaces.route(thing.place), thing)
