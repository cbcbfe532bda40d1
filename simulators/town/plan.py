"""The drawing board of Valmont-sur-Ouzelle, a town that does not exist.

Coordinates are those of the water network's drawing (Net3), one unit about 160 m; `to_wgs84` puts them on the
globe, somewhere quiet in Normandy.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

Point = tuple[float, float]

TOWN_NAME: Final = "Valmont-sur-Ouzelle"
LATITUDE, LONGITUDE = 48.862, -0.612
_UNIT_M = 160.0
_CENTRE: Final = (25.5, 15.0)
_METRES_PER_DEGREE = 111_320.0


def to_wgs84(point: Point) -> tuple[float, float]:
    """(longitude, latitude) [deg] of a point of the drawing, rounded to a decimetre."""
    north = (point[1] - _CENTRE[1]) * _UNIT_M / _METRES_PER_DEGREE
    east = (point[0] - _CENTRE[0]) * _UNIT_M / (_METRES_PER_DEGREE * math.cos(math.radians(LATITUDE)))
    return round(LONGITUDE + east, 6), round(LATITUDE + north, 6)


class District(NamedTuple):
    """A quarter of the town; also a district metered area of its water.

    Attributes
    ----------
    code : str
        As in `dma-nord`.
    name : str
        On the map.
    outline : tuple of Point
        Its border; neighbours share their corners.
    bearing : float
        Direction of its streets [deg from the x axis].
    streets : tuple of str
        Names for them.
    """

    code: str
    name: str
    outline: tuple[Point, ...]
    bearing: float
    streets: tuple[str, ...]


DISTRICTS: Final = (
    District(
        "ouest", "Les Vergers",
        ((7.2, 29.3), (11.5, 29.6), (16.5, 26.0), (21.4, 25.5), (21.65, 23.3), (22.4, 21.6), (22.35, 18.8),
         (22.6, 17.0), (22.5, 16.0), (21.6, 14.7), (20.9, 14.0), (16.0, 17.2), (11.6, 19.8), (11.0, 23.2)),
        -38.0,
        ("rue des Pommiers", "rue du Pressoir", "allée des Cerisiers", "rue de la Chapelle", "chemin des Vignes",
         "rue du Moulin", "rue des Lavandières", "rue du Four", "avenue des Vergers", "rue de la Fontaine",
         "rue des Noyers", "rue du Lavoir"),
    ),
    District(
        "nord", "Le Haras",
        ((21.4, 25.5), (22.5, 29.0), (27.5, 29.0), (27.5, 25.0), (28.95, 22.0), (29.0, 19.3), (24.5, 18.8),
         (22.35, 18.8), (22.4, 21.6), (21.65, 23.3)),
        -12.0,
        ("avenue du Haras", "rue des Écuyers", "rue des Éperons", "rue de la Sellerie", "rue du Manège",
         "place du Haras", "rue des Maréchaux-Ferrants", "rue des Tilleuls", "rue du Paddock", "rue de l’Avoine"),
    ),
    District(
        "est", "Le Plateau",
        ((27.5, 29.0), (31.0, 28.6), (37.5, 30.9), (39.4, 30.2), (38.2, 27.0), (40.0, 24.0), (38.6, 21.0),
         (34.0, 18.0), (29.0, 19.3), (28.95, 22.0), (27.5, 25.0)),
        -28.0,
        ("avenue du Plateau", "rue des Alouettes", "rue des Blés", "rue des Coquelicots", "rue du Grand-Champ",
         "chemin de la Butte", "rue des Bleuets", "rue du Vent", "rue de l’Horizon", "rue des Moissons"),
    ),
    District(
        "centre", "Vieille Ville",
        ((22.35, 18.8), (24.5, 18.8), (29.0, 19.3), (28.6, 14.0), (28.3, 10.8), (27.9, 9.0), (24.6, 9.0),
         (22.6, 10.8), (20.9, 14.0), (21.6, 14.7), (22.5, 16.0), (22.6, 17.0)),
        -55.0,
        ("Grande Rue", "rue des Halles", "rue du Beffroi", "rue de l’Hôtel-de-Ville", "rue aux Fèves",
         "rue des Tanneurs", "rue du Pont-Neuf", "place du Marché", "rue de l’Hôpital", "rue des Drapiers",
         "quai de l’Ouzelle", "rue Basse"),
    ),
    District(
        "gare", "La Gare",
        ((28.3, 10.8), (27.9, 9.0), (28.0, 6.0), (29.0, 5.2), (31.2, 4.8), (33.7, 6.0), (34.3, 6.4), (34.2, 8.5),
         (31.5, 10.3)),
        4.0,
        ("avenue de la Gare", "rue du Départ", "rue des Voyageurs", "rue des Entrepôts", "rue du Dépôt",
         "rue de la Passerelle", "rue du Quai", "rue des Ateliers", "place de la Gare"),
    ),
    District(
        "sud", "Les Étangs",
        ((31.2, 4.8), (33.7, 6.0), (34.3, 6.4), (35.0, 7.6), (39.5, 9.8), (45.4, 10.3), (45.5, 8.4), (43.9, 6.3),
         (40.0, 6.0), (39.6, 2.0), (37.6, -0.9), (34.0, 0.1), (31.2, 1.2)),
        18.0,
        ("avenue des Étangs", "rue des Roseaux", "rue des Hérons", "rue du Ponton", "chemin de Halage",
         "rue des Saules", "rue des Libellules", "allée des Nénuphars", "rue du Déversoir", "rue des Martins-Pêcheurs"),
    ),
)  # fmt: skip

RIVER: Final[tuple[Point, ...]] = (
    (23.2, 33.2), (24.0, 31.4), (25.6, 30.0), (26.4, 27.6), (26.0, 24.6), (26.9, 21.4), (27.0, 18.4), (26.3, 16.2),
    (27.3, 13.8), (28.9, 11.9), (31.0, 10.9), (33.6, 10.4), (36.4, 11.4), (40.2, 12.2), (44.4, 13.4), (48.0, 13.6),
)  # fmt: skip

PARKS: Final[tuple[tuple[str, tuple[Point, ...]], ...]] = (
    ("Parc du Haras", ((24.9, 27.9), (25.9, 27.7), (25.5, 26.2), (24.9, 26.1))),
    ("Jardin du Beffroi", ((23.3, 13.9), (24.5, 14.2), (24.7, 13.3), (23.6, 12.9))),
    ("Étang de la Source", ((6.2, 27.0), (8.4, 28.3), (8.9, 27.0), (7.4, 26.2))),
    ("Bois des Pommiers", ((12.4, 24.8), (15.2, 23.8), (14.9, 22.7), (13.6, 22.4), (12.2, 23.4))),
    ("Plaine des Étangs", ((37.6, 7.6), (40.6, 7.9), (41.0, 6.9), (38.2, 6.5))),
    ("Parc du Plateau", ((31.2, 24.6), (33.0, 23.6), (32.4, 22.2), (30.6, 22.9))),
)
