"""Compiles the LightGBM models with the peers that generate code, once: lleaves through LLVM, TL2cgen through gcc. Minutes, then cached."""

import hashlib
import pathlib
import shutil
import subprocess
import sys
import time


def lleaves_library(folder, name, target):
    import lleaves

    unlinked = folder / f"lleaves-{name}.o"
    model = lleaves.Model(model_file=str(folder / f"{name}.txt"))
    # Raw scores on both sides; one row at a time, so its blocks of rows for the cache are of no use.
    model.compile(cache=str(unlinked), raw_score=True)
    subprocess.run(["gcc", "-shared", "-Wl,-Bsymbolic", "-o", str(target), str(unlinked)], check=True)
    unlinked.unlink()


def generated_library(folder, name, target):
    import numpy
    import tl2cgen
    import treelite

    source = folder / f"tl2cgen-{name}"
    shutil.rmtree(source, ignore_errors=True)
    model = treelite.frontend.load_lightgbm_model(str(folder / f"{name}.txt"))
    rows = numpy.fromfile(folder / "rows.f32", dtype=numpy.float32).reshape(4096, -1).astype(numpy.float64)
    counts = folder / f"{name}.branches.json"
    tl2cgen.annotate_branch(model, tl2cgen.DMatrix(rows, dtype="float64"), path=str(counts), verbose=False)
    tl2cgen.generate_c_code(
        model, dirpath=str(source), params={"quantize": 1, "annotate_in": str(counts), "parallel_comp": 16}, verbose=False)
    objects = []
    for file in sorted(source.glob("*.c")):
        subprocess.run(["gcc", "-O3", "-march=native", "-fPIC", "-w", "-c", str(file), "-o", str(file.with_suffix(".o"))], check=True)
        objects.append(str(file.with_suffix(".o")))
    subprocess.run(["gcc", "-shared", "-Wl,-Bsymbolic", "-o", str(target), *objects, "-lm"], check=True)


def main():
    folder = pathlib.Path(sys.argv[1])
    for name in ("trees100", "trees500"):
        digest = hashlib.sha256((folder / f"{name}.txt").read_bytes()).hexdigest()
        for title, make in (("lleaves", lleaves_library), ("tl2cgen", generated_library)):
            target, note = folder / f"{title}-{name}.so", folder / f"{title}-{name}.sha256"
            if target.exists() and note.exists() and note.read_text() == digest:
                continue
            start = time.time()
            make(folder, name, target)
            note.write_text(digest)
            print(f"league: {title} compiled {name}: {time.time() - start:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
