"""Packs converted spec tests: pack.py DIRECTORY SPECTEST.wasm OUTPUT.zip

DIRECTORY holds what wast2json makes of the spec's .wast files. Kept are the
commands that a binary decoder and an engine can be asked about, and the binary
modules that they name; text modules, line breaks and unused keys are not.
"""
import json, os, sys, zipfile

source, spectest, output = sys.argv[1:]
stamp = (1980, 1, 1, 0, 0, 0)  # so that the same input gives the same file


def put(z, name, data):
    z.writestr(zipfile.ZipInfo(name, stamp), data, zipfile.ZIP_DEFLATED, 9)


with zipfile.ZipFile(output, "w") as z:
    put(z, "spectest.wasm", open(spectest, "rb").read())
    for name in sorted(os.listdir(source)):
        if not name.endswith(".json"):
            continue
        kept = []
        for c in json.load(open(os.path.join(source, name)))["commands"]:
            if c.get("filename", "x.wasm").endswith(".wat"):
                continue
            kept.append({k: v for k, v in c.items() if k not in ("module_type",)})
        # All modules of a script in one entry: {name: hexadecimal} packs better than a thousand files.
        modules = {c["filename"]: open(os.path.join(source, c["filename"]), "rb").read().hex() for c in kept if "filename" in c}
        put(z, name, json.dumps({"commands": kept, "modules": modules}, separators=(",", ":"), sort_keys=True))
