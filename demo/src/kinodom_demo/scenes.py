"""The pictures, as formulas for ffmpeg's `geq`: three planes over X, Y (pixels), W, H and T (seconds).

Each scene repeats after `PERIOD_S`, so that only so much of it is computed. All words are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kinodom_demo.films import SceneName

PERIOD_S: Final = 4
TURN: Final = f"2*PI*T/{PERIOD_S}"
# Looks random, and is the same in every frame.
STARS: Final = "gt(sin(X*12.9898+Y*78.233)*sin(X*39.3+Y*11.1),0.985)"


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture: brightness 16 to 235, and the two colour differences around 128."""

    lum: str
    cb: str
    cr: str
    held_frames: int = 1  # 2: every second frame is drawn anew; enough for what moves slowly

    def filter(self) -> str:
        """Return the filter that draws it."""
        planes = (("lum", self.lum), ("cb", self.cb), ("cr", self.cr))
        return "geq=" + ":".join(f"{name}='{formula.replace(',', chr(92) + ',')}'" for name, formula in planes)


def _lighthouse() -> Scene:
    across, down = "(X-W*0.70)", "(Y-H*0.30)"
    tower = f"lt(abs({across}),W*(0.018+0.022*(Y/H-0.28)))*gt(Y,H*0.30)*lt(Y,H*0.80)"
    band = f"mod(floor({down}/(H*0.10)),2)"
    lamp = f"lt(abs({across}),W*0.016)*gt(Y,H*0.24)*lt(Y,H*0.30)"
    rock = f"lt(pow({across}/(W*0.17),2)+pow((Y-H*0.84)/(H*0.12),2),1)"
    angle = f"(atan2(Y-H*0.27,{across}+0.01)-{TURN})"
    beam = f"exp(-pow(sin({angle}/2),2)*160)*exp(-hypot({across},Y-H*0.27)/(W*0.45))"
    sea = f"52+14*sin(Y*Y*1.584/H+2*sin(X*0.09)-{TURN})+10*sin(X*0.21+{TURN})"
    sky = f"34+70*pow(Y/H,2.2)+150*{beam}+26*{STARS}"
    wall = f"70+110*{band}*(1-abs({across})/(W*0.05))"
    lum = f"if({rock},26+6*sin(X*0.9)*sin(Y*0.7),if({tower},{wall},if({lamp},235,if(gt(Y,H*0.76),{sea},{sky}))))"
    cr = f"if({tower},128+26*(1-{band}),if(gt(Y,H*0.76),112,110+34*pow(Y/H,3)))"
    return Scene(lum, f"if({tower},128,if({rock},132,146-22*pow(Y/H,3)))", cr)


def _moon() -> Scene:
    away = "hypot(X-W*0.5,Y-H*0.30)"
    moon = f"lt({away},H*0.15)"
    marks = "26*exp(-pow(hypot(X-W*0.47,Y-H*0.27)/(H*0.045),2))+20*exp(-pow(hypot(X-W*0.53,Y-H*0.35)/(H*0.035),2))"
    glow = f"exp(-{away}/(H*0.22))"
    path = "exp(-pow((X-W*0.5)/(W*(0.04+0.30*(Y/H-0.55))),2))"
    wave = f"(0.5+0.5*sin((Y-H*0.5)*(Y-H*0.5)*2.304/H+1.5*sin(X*0.13)+{TURN})*sin(X*0.31-{TURN}))"
    sea = f"38+30*(Y/H-0.58)+24*{wave}+120*{path}*{wave}"
    sky = f"if({moon},214-({marks}),30+100*{glow}+30*Y/H+60*{STARS})"
    face = f"{moon}*lt(Y,H*0.58)"
    return Scene(f"if(gt(Y,H*0.58),{sea},{sky})", f"if({face},118,150-14*{glow})", f"if({face},136,122+8*{glow})", 2)


def _boats() -> tuple[str, str, str]:
    """Return the formula that places the boats, and those that say whether a pixel is a hull, or a sail.

    Places are computed once per pixel and kept in registers: with them spelled out the formula takes five times longer.
    """
    places, hulls, sails = [], [], []
    for number, (across, down, size) in enumerate(((0.24, 0.62, 0.10), (0.55, 0.72, 0.16), (0.82, 0.58, 0.08))):
        x, y = f"ld({2 * number})", f"ld({2 * number + 1})"
        places.append(f"st({2 * number},abs(X-W*{across}-W*0.02*sin({TURN}+{2 * number})))")
        places.append(f"st({2 * number + 1},(Y-H*{down}-H*0.015*sin({TURN}*2+{4 * number}))/(H*{size}))")
        hulls.append(f"between({y},0,0.55)*lt({x},H*{size}*(1.1-{y}*0.9))")
        sails.append(f"between({y},-1.05,0)*lt({x},H*{size}*0.55*(1+{y}/1.05))")
    return ";".join(places), "+".join(hulls), "+".join(sails)


def _fleet() -> Scene:
    places, hulls, sails = _boats()
    dawn = "exp(-pow((Y-H*0.56)/(H*0.24),2))"
    sky = f"120+80*{dawn}+40*exp(-hypot(X-W*0.3,Y-H*0.5)/(H*0.18))"
    sea = f"96+40*(Y/H-0.56)+16*sin(Y*Y*1.728/H+1.4*sin(X*0.11)-{TURN})"
    lum = f"if({hulls},205-20*gt(mod(X,8),6),if({sails},236,if(gt(Y,H*0.56),{sea},{sky})))"
    cb = f"if({hulls}+{sails},128,if(gt(Y,H*0.56),144,136-34*{dawn}))"
    cr = f"if({hulls}+{sails},128,if(gt(Y,H*0.56),112,120+32*{dawn}))"
    return Scene(f"{places};{lum}", f"{places};{cb}", f"{places};{cr}", 2)


SCENES: Final[dict[SceneName, Scene]] = {"lighthouse": _lighthouse(), "moon": _moon(), "fleet": _fleet()}
