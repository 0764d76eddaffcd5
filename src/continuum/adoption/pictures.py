"""The pictures of printed pieces, drawn for the room that they get: nothing is cut off, and no words lie on them.

Everything is ours: shapes with their foot at (0, 0), put on the ground of a scene. There is no red cross, which is a
protected sign. The top of each scene has the colour `TOP`, so that it goes over into the ground above it.
"""

from collections.abc import Callable, Mapping, Sequence

TOP = "#0d2c52"
_BLUE, _SKY, _PALE, _SUN = "#1f5fa8", "#3f86c4", "#cfe0f3", "#ffd27a"
_SKINS = ("#c98d63", "#8d5a3a", "#e3b48f")

_TENT = (
    f'<path d="M-52 0 L0 -74 L52 0 Z" fill="#fff"/><path d="M0 -74 L16 0 H-16 Z" fill="{_BLUE}"/>'
    '<path d="M0 -74 V-92" stroke="#fff" stroke-width="4" stroke-linecap="round"/>'
    f'<path d="M0 -92 H24 L17 -86 L24 -80 H0 Z" fill="{_SUN}"/>'
)
_TRUCK = (
    '<path d="M-62 -14 V-60 a6 6 0 0 1 6 -6 H14 V-14 Z" fill="#fff"/>'
    f'<path d="M18 -14 V-50 H42 L58 -32 V-14 Z" fill="{_PALE}"/>'
    f'<path d="M24 -44 H39 L50 -31 H24 Z" fill="{_BLUE}"/>'
    '<path d="M-54 -40 h14 l6 -12 9 24 8 -17 4 5 h14" fill="none"'
    f' stroke="{_BLUE}" stroke-width="4" stroke-linejoin="round"/><circle cx="-40" cy="-12" r="12" fill="#16212e"/>'
    '<circle cx="-40" cy="-12" r="5" fill="#fff"/><circle cx="38" cy="-12" r="12" fill="#16212e"/>'
    '<circle cx="38" cy="-12" r="5" fill="#fff"/>'
)
_WINDOWS = "".join(
    f'<rect x="{x}" y="{y}" width="15" height="14" rx="2" fill="{_PALE}"/>'
    for y in (-56, -32) for x in (-84, -60, 45, 69)
)  # fmt: skip
_HOSPITAL = (
    '<path d="M-96 0 V-70 H-36 V-112 H36 V-70 H96 V0 Z" fill="#fff"/>'
    f'<path d="M-15 -102 h9 v15 h12 v-15 h9 v40 h-9 v-17 h-12 v17 h-9z" fill="{_BLUE}"/>{_WINDOWS}'
    f'<path d="M-16 0 V-34 H16 V0 Z" fill="{_BLUE}"/><path d="M0 0 V-34" stroke="#fff" stroke-width="2"/>'
)
_HOUSE = (
    '<path d="M-50 0 V-46 L0 -88 L50 -46 V0 Z" fill="#fff"/><path d="M-62 -42 L0 -94 L62 -42" fill="none"'
    f' stroke="{_SUN}" stroke-width="9" stroke-linejoin="round" stroke-linecap="round"/>'
    f'<path d="M-12 0 V-34 H12 V0 Z" fill="{_BLUE}"/>'
    f'<rect x="22" y="-36" width="16" height="16" rx="2" fill="{_PALE}"/>'
)
_PLANE = (
    '<path d="M-60 0 L44 -26 c20 -5 34 2 32 10 s-16 12 -30 14 l-34 6 -44 46 h-16 l20 -40 -38 6 -16 16 h-10 l10 -26 z"'
    ' fill="#fff"/>'
)
_TREE = '<path d="M-18 0 L0 -58 L18 0 Z" fill="#1d6b74"/><path d="M-14 -22 L0 -66 L14 -22 Z" fill="#248089"/>'


def _put(shape: str, x: float, y: float, scale: float = 1.0) -> str:
    return f'<g transform="translate({x:.1f} {y:.1f}) scale({scale:.3f})">{shape}</g>'


def _ridge(wide: float, base: float, high: float, points: Sequence[tuple[float, float]], fill: str) -> str:
    """A line of hills over the whole width. points: (share of the width, share of the height)."""
    line = " L".join(f"{x * wide:.0f} {base - y * high:.0f}" for x, y in points)
    return f'<path d="M0 {base + 400:.0f} L{line} L{wide:.0f} {base + 400:.0f} Z" fill="{fill}"/>'


_FAR = ((0, 0.25), (0.1, 0.72), (0.18, 0.45), (0.3, 1), (0.4, 0.5), (0.5, 0.78), (0.62, 0.35), (0.72, 0.62),
        (0.82, 0.3), (0.92, 0.7), (1, 0.4))  # fmt: skip
_NEAR = ((0, 0.2), (0.14, 0.52), (0.26, 0.25), (0.38, 0.58), (0.54, 0.22), (0.68, 0.42), (0.84, 0.18), (1, 0.44))


def _pulse(wide: float, y: float, scale: float) -> str:
    """The line of a heart over the whole width: the road that leads from one to the other."""
    beat = "l14 -34 24 70 22 -52 14 16"
    step, parts, x = 300 * scale, [f"M-10 {y:.0f}"], 70 * scale
    while x < wide - 60 * scale:
        scaled = " ".join(
            f"{part[0] if part[0] == 'l' else ''}{float(part.lstrip('l')) * scale:.1f}" for part in beat.split()
        )
        parts.append(f"L{x:.0f} {y:.0f} {scaled}")
        x += step
    parts.append(f"L{wide + 10:.0f} {y:.0f}")
    return (
        f'<path d="{" ".join(parts)}" fill="none" stroke="{_SUN}" stroke-width="{8 * scale:.1f}"'
        ' stroke-linejoin="round" stroke-linecap="round"/>'
    )


def _svg(wide: float, high: float, body: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.0f} {high:.0f}"'
        ' preserveAspectRatio="xMidYMax slice">'
        f'<defs><linearGradient id="sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="{TOP}"/>'
        f'<stop offset="1" stop-color="#2f78bd"/></linearGradient></defs>{body}</svg>'
    )


def _land(wide: float, high: float, scale: float) -> tuple[str, float]:
    """Sky, sun, hills and ground; and where things stand."""
    base = high - 104 * scale
    hills = min(high * 0.5, 250 * scale)
    return (
        f'<rect width="{wide:.0f}" height="{high:.0f}" fill="url(#sky)"/>'
        f'<circle cx="{wide * 0.77:.0f}" cy="{base - hills * 0.86:.0f}" r="{82 * scale:.0f}" fill="{_SUN}"'
        ' opacity=".2"/>'
        f'<circle cx="{wide * 0.77:.0f}" cy="{base - hills * 0.86:.0f}" r="{58 * scale:.0f}" fill="{_SUN}"/>'
        + _ridge(wide, base, hills, _FAR, _SKY)
        + _ridge(wide, base, hills * 0.8, _NEAR, "#266aa6")
        + f'<path d="M0 {base - 6 * scale:.0f} Q{wide / 2:.0f} {base - 26 * scale:.0f}'
        f" {wide:.0f} {base - 6 * scale:.0f}"
        f' V{high:.0f} H0 Z" fill="#114e68"/>',
        base,
    )


def system(wide: float, high: float, scale: float) -> str:
    """The way of a record: the tent, the truck, the aircraft, the hospital, home."""
    land, base = _land(wide, high, scale)
    places: tuple[tuple[str, float], ...] = ((_TENT, 0.12), (_TRUCK, 0.34), (_HOSPITAL, 0.6), (_HOUSE, 0.87))
    if wide < 700 * scale:
        places = ((_TENT, 0.16), (_HOSPITAL, 0.52), (_HOUSE, 0.86))
    things = "".join(_put(shape, at * wide, base + 8 * scale, scale) for shape, at in places)
    trees = "".join(_put(_TREE, at * wide, base, 0.7 * scale) for at in (0.235, 0.71, 0.755))
    return _svg(wide, high, land + _put(_PLANE, wide * 0.44, base - min(high * 0.52, 250 * scale), 0.9 * scale)
                + trees + things + _pulse(wide, high - 46 * scale, scale))  # fmt: skip


def _person(color: str, skin: str, *, cap: bool = False) -> str:
    """Somebody seen to the waist; 190 high."""
    hat = '<path d="M-27 -164 q27 -30 54 0 h12 v9 h-66 z" fill="#3d5a3c"/>' if cap else (
        '<path d="M-29 -150 q2 -36 29 -36 t29 36 q-8 -16 -29 -16 t-29 16 z" fill="#3b2a20"/>'
    )  # fmt: skip
    return (
        f'<path d="M-62 0 V-62 q0 -44 44 -44 h36 q44 0 44 44 V0 Z" fill="{color}"/>'
        f'<path d="M-13 -96 h26 v-24 h-26 z" fill="{skin}"/><circle cx="0" cy="-144" r="30" fill="{skin}"/>{hat}'
    )


_PHONE = (
    '<rect x="-92" y="-360" width="184" height="372" rx="26" fill="#16212e"/>'
    '<rect x="-80" y="-340" width="160" height="332" rx="12" fill="#fff"/>'
    f'<rect x="-80" y="-340" width="160" height="44" rx="12" fill="{_BLUE}"/>'
    '<path d="M-64 -318 h14 l6 -12 9 24 8 -17 4 5 h14" fill="none" stroke="#fff" stroke-width="4"'
    ' stroke-linejoin="round"/>'
    f'<rect x="-66" y="-282" width="132" height="92" rx="8" fill="#e8f0fa"/>'
    f'<path d="M-54 -208 L-28 -232 L-6 -222 L20 -252 L52 -262" fill="none" stroke="{_BLUE}" stroke-width="6"'
    ' stroke-linejoin="round" stroke-linecap="round"/>'
    f'<circle cx="52" cy="-262" r="8" fill="{_SUN}" stroke="{_BLUE}" stroke-width="4"/>'
    f'<rect x="-66" y="-178" width="132" height="64" rx="8" fill="{_SUN}"/>'
    '<rect x="-54" y="-166" width="40" height="40" rx="5" fill="#fff"/>'
    f'<rect x="-54" y="-166" width="40" height="12" rx="5" fill="{_BLUE}"/>'
    f'<path d="M-4 -156 h56 M-4 -140 h38" stroke="{TOP}" stroke-width="6" stroke-linecap="round"/>'
    '<path d="M-66 -94 a8 8 0 0 1 8 -8 h86 a8 8 0 0 1 8 8 v34 a8 8 0 0 1 -8 8 h-66 l-16 16 v-16 h-4 a8 8'
    f' 0 0 1 -8 -8 z" fill="{_PALE}"/>'
    f'<path d="M-52 -86 h72 M-52 -70 h46" stroke="{_BLUE}" stroke-width="5" stroke-linecap="round"/>'
)


def portal(wide: float, high: float, scale: float) -> str:
    """A phone with the record on it, and a family around."""
    base = high
    scale = min(scale, (high - 14) / 392)
    ground = f'<rect width="{wide:.0f}" height="{high:.0f}" fill="url(#sky)"/>'
    rings = "".join(
        f'<circle cx="{wide / 2:.0f}" cy="{base - 170 * scale:.0f}" r="{radius * scale:.0f}" fill="#fff"'
        ' opacity=".07"/>'
        for radius in (150, 230, 320, 430)
        if radius * scale <= min(base - 170 * scale, wide)
    )
    off = min(wide * 0.3, 205 * scale)
    people = (
        _put(_person("#5b7f5a", _SKINS[0], cap=True), wide / 2 - off, base, 1.15 * scale)
        + _put(_person("#c8553d", _SKINS[1]), wide / 2 + off, base, 1.08 * scale)
        + _put(_person(_SUN, _SKINS[2]), wide / 2 + off * 0.44, base, 0.74 * scale)
    )
    if wide > 900 * scale:
        people += _put(_person("#e8f0fa", _SKINS[2]), wide / 2 - off * 2, base, 1.05 * scale)
        people += _put(_person("#7a6aa8", _SKINS[0]), wide / 2 + off * 2, base, 1.1 * scale)
    return _svg(wide, high, ground + rings + _put(_PHONE, wide / 2 - off * 0.28, base - 20 * scale, scale) + people)


def shield(wide: float, high: float, scale: float) -> str:
    """A shield with a lock before the chain of the trail."""
    x, y = wide / 2, high / 2
    links = "".join(
        f'<rect x="{x + number * 92 * scale - 40 * scale:.0f}" y="{y - 22 * scale:.0f}" width="{80 * scale:.0f}"'
        f' height="{44 * scale:.0f}" rx="{22 * scale:.0f}" fill="none" stroke="{_SKY}"'
        f' stroke-width="{11 * scale:.0f}"/>'
        for number in range(-6, 7)
    )
    body = (
        f'<path d="M0 -150 L122 -106 V-12 C122 70 62 122 0 152 C-62 122 -122 70 -122 -12 V-106 Z" fill="{_SUN}"/>'
        '<path d="M0 -128 L102 -91 V-12 C102 58 52 103 0 130 Z" fill="#fff" opacity=".35"/>'
        f'<rect x="-52" y="-26" width="104" height="86" rx="12" fill="{TOP}"/>'
        f'<path d="M-32 -26 V-48 a32 32 0 0 1 64 0 V-26" fill="none" stroke="{TOP}" stroke-width="15"/>'
        f'<path d="M-22 16 l16 17 30 -34" fill="none" stroke="{_SUN}" stroke-width="11" stroke-linecap="round"'
        ' stroke-linejoin="round"/>'
    )
    ground = f'<rect width="{wide:.0f}" height="{high:.0f}" fill="{TOP}"/>'
    return _svg(wide, high, ground + links + _put(body, x, y, scale))


ROOMS: Mapping[str, tuple[float, float, float]] = {
    "head": (560, 400, 0.86), "strip": (1600, 330, 1.0), "front": (500, 620, 0.92), "poster": (1100, 560, 1.12),
    "card": (1000, 360, 1.0), "flap": (620, 400, 0.9),
}  # fmt: skip
"""Width, height and the size of things, by the room that a layout has."""
_SUBJECTS: Mapping[str, Callable[[float, float, float], str]] = {"system": system, "portal": portal, "shield": shield}


def drawn(subject: str) -> dict[str, str]:
    """The pictures of a subject as SVG, by the room that they are for."""
    return {room: _SUBJECTS[subject](*size) for room, size in ROOMS.items()}
