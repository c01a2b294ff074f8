"""Compares messages before and after a footer was added.

Reads pairs of files and prints one line for each that is wrong: NAME: why.
Every part must be there with the same type; what is no text that a reader sees
must be the same to the octet, and texts may have grown by the footer only.
"""
import email
import email.policy
import sys

MARK = "Grüße from example.org"


def parse(path):
    with open(path, "rb") as f:
        return email.message_from_binary_file(f, policy=email.policy.default)


def leaves(message):
    return [p for p in message.walk() if not p.is_multipart()]


def squeeze(text):
    return " ".join(text.replace("<br>", " ").split())


def compare(before, after, wrapped):
    faults = []
    if after.defects or any(p.defects for p in after.walk()):
        faults.append("defects: %s" % [d for p in after.walk() for d in p.defects])
    if wrapped:
        if after.get_content_type() != "multipart/mixed":
            return faults + ["not wrapped"]
        inner, extra = list(after.iter_parts())
        if MARK not in extra.get_content():
            faults.append("the footer is not in the added part")
        after = inner
        if before.get_content_type() != after.get_content_type():
            faults.append("the wrapped part is %s" % after.get_content_type())
    shape = [p.get_content_type() for p in before.walk()]
    if shape != [p.get_content_type() for p in after.walk()]:
        return faults + ["structure %s became %s" % (shape, [p.get_content_type() for p in after.walk()])]
    grown = 0
    for old, new in zip(leaves(before), leaves(after)):
        if old.get_payload(decode=True) == new.get_payload(decode=True):
            continue
        a, b = squeeze(old.get_content()), squeeze(new.get_content())
        if MARK not in b and "Gr&#252;&#223;e from example.org" not in b:
            faults.append("%s changed, and has no footer" % new.get_content_type())
        if new.get_content_type() == "text/plain":
            if not b.startswith(a):
                faults.append("text %r became %r" % (a, b))
        else:
            # What was there is there in its order, around the footer.
            cut = b.index("<p>-- ")
            end = b.index("</p>", cut) + 4
            if squeeze(b[:cut] + b[end:]).replace(" ", "") != a.replace(" ", ""):
                faults.append("page %r became %r" % (a, b))
        grown += 1
    if not wrapped and not grown:
        faults.append("nothing has a footer")
    return faults


for line in sys.stdin:
    name, before, after, wrapped = line.rstrip("\n").split("\t")
    for fault in compare(parse(before), parse(after), wrapped == "wrapped"):
        print("%s: %s" % (name, fault))
