"""How often recognition is right on photos that nobody trained or chose it on: `python -m benchmarks.stamps FOLDER`.

The photos are the stamps of the drawing program Tux Paint (Debian's package `tuxpaint-stamps-default`): cut out,
mostly on white. All of its photographs whose name is the name of an ImageNet class are here, no other; where the name
stands for several classes (an elephant), each of them is right. FOLDER is the package's folder `stamps`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

STAMPS: dict[str, tuple[int, ...]] = {
    "animals/amphibians/frog.png": (30, 31, 32),
    "animals/amphibians/frog-1.png": (30, 31, 32),
    "animals/birds/drake.png": (97,),
    "animals/birds/hen.png": (8,),
    "animals/birds/magpie.png": (18,),
    "animals/birds/ostrich.png": (9,),
    "animals/birds/peacock.png": (84,),
    "animals/birds/pink_flamingo.png": (130,),
    "animals/birds/rainbow-lorikeet.png": (90,),
    "animals/birds/rooster.png": (7,),
    "animals/birds/tucan.png": (96,),
    "animals/birds/vulture.png": (23,),
    "animals/insects/bee.png": (309,),
    "animals/insects/fly.png": (308,),
    "animals/insects/grasshopper.png": (311,),
    "animals/insects/mantis.png": (315,),
    "animals/lizards/iguana.png": (39,),
    "animals/mammals/apes/chimp.png": (367,),
    "animals/mammals/apes/gorilla.png": (366,),
    "animals/mammals/aquatic/orca.png": (148,),
    "animals/mammals/aquatic/otter.png": (360,),
    "animals/mammals/aquatic/sea_lion.png": (150,),
    "animals/mammals/badger.png": (362,),
    "animals/mammals/bears/european-bear.png": (294,),
    "animals/mammals/bovines/bison.png": (347,),
    "animals/mammals/bovines/ram.png": (348, 349),
    "animals/mammals/camel/camel.png": (354,),
    "animals/mammals/camel/dromedary.png": (354,),
    "animals/mammals/cats/lion.png": (291,),
    "animals/mammals/cats/lion-2.png": (291,),
    "animals/mammals/cats/tiger.png": (292,),
    "animals/mammals/cats/tiger_sumatran.png": (292,),
    "animals/mammals/dogs/dingo.png": (273,),
    "animals/mammals/dogs/fox.png": (277, 278, 279, 280),
    "animals/mammals/echidna.png": (102,),
    "animals/mammals/elephant.png": (101, 385, 386),
    "animals/mammals/equines/zebra.png": (340,),
    "animals/mammals/hippopotamus.png": (344,),
    "animals/mammals/pig.png": (341,),
    "animals/mammals/rodents/beaver.png": (337,),
    "animals/mammals/rodents/marmot.png": (336,),
    "animals/mammals/rodents/rabbit.png": (330, 331, 332),
    "animals/mammals/rodents/rabbit-2.png": (330, 331, 332),
    "animals/mammals/wildboar.png": (342,),
    "animals/marsupials/koala.png": (105,),
    "animals/marsupials/wombat.png": (106,),
    "clothes/hats/sombrero.png": (808,),
    "clothes/t_sock.png": (806,),
    "food/fruit/apple_granny_smith.png": (948,),
    "food/fruit/banana.png": (954,),
    "food/fruit/cherimoya.png": (956,),
    "food/fruit/lemon.png": (951,),
    "food/fruit/orange.png": (950,),
    "food/fruit/pineapple.png": (953,),
    "food/fruit/pomegranate.png": (957,),
    "food/fruit/strawberry.png": (949,),
    "food/pizza.png": (963,),
    "food/vegetables/broccoli.png": (937,),
    "food/vegetables/corn.png": (987, 998),
    "food/vegetables/mushroom.png": (947,),
    "food/vegetables/pepper.png": (945,),
    "food/vegetables/yellowpepper.png": (945,),
    "hobbies/binoculars.png": (447,),
    "hobbies/camera_35mm.png": (759,),
    "hobbies/music/brass/trumpet.png": (513,),
    "hobbies/music/percussion/drumkit.png": (541,),
    "hobbies/music/string/cello.png": (486,),
    "hobbies/music/string/guitar_classical.png": (402,),
    "hobbies/music/string/guitar_electric.png": (546,),
    "hobbies/music/string/violin.png": (889,),
    "hobbies/music/wind/bassoon.png": (432,),
    "household/dishes/mug.png": (504,),
    "household/dishes/pitcher_small.png": (725,),
    "household/dishes/teapot.png": (849,),
    "household/garbagecan.png": (412,),
    "household/toilet.png": (861,),
    "household/tools/hammer.png": (587,),
    "household/tools/paintbrush_large.png": (696,),
    "medical/bandage_adhesive.png": (419,),
    "medical/stethoscope.png": (823,),
    "medical/syringe.png": (845,),
}


def main() -> None:
    from humanparse.config import Settings
    from humanparse.pipeline import Pipeline
    from humanparse.recognition.options import RecognizeOptions

    parser = argparse.ArgumentParser(prog="python -m benchmarks.stamps", description=__doc__)
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    first = among_five = agree = 0
    pipelines = [Pipeline(Settings(precision=precision)).recognition for precision in ("auto", "f32")]
    for name, right in STAMPS.items():
        data = (args.folder / name).read_bytes()
        found, exact = (pipeline.recognize(data, RecognizeOptions(cache=False)) for pipeline in pipelines)
        ids = [one.class_id for one in found.predictions]
        first += ids[0] in right
        among_five += bool(set(ids) & set(right))
        agree += ids[0] == exact.predictions[0].class_id
        if ids[0] not in right:
            print(f"{name}: {', '.join(f'{one.label} {one.probability:.0%}' for one in found.predictions[:3])}")
    count = len(STAMPS)
    print(f"right at first {first} of {count}, among five {among_five}, first as in float32 {agree}")


if __name__ == "__main__":
    main()
