"""Writes the page of documentation: what the rooms say to each other."""

TITLE = """# What the rooms say to each other

Made from `src/talk/*.talk` by `src/talk/generate.py --write docs/talk.md`; `make check` compares.

Every message carries a trace id, a call also a request number. Any call may be answered by a refusal
(a kind and a sentence of at most 200 octets) instead. A side that receives anything else than is written
here closes the channel. Limits of `str` and `body` are octets, of `list` elements.
"""


def limit(t):
    if t.kind in ("str", "body"):
        return f"{t.kind} {t.max}"
    if t.kind == "bytes":
        return f"bytes{t.max}"
    if t.kind in ("enum", "record"):
        return f"{t.kind} {t.item.name}"
    if t.kind == "list":
        return f"list of {limit(t.element)}, {t.max}"
    return t.kind


def fields(item):
    if not item.fields:
        return ["", "No fields."]
    out = ["", "| field | type | meaning |", "|---|---|---|"]
    for f in item.fields:
        notes = [x for x, there in (("secret", f.secret), ("optional", f.optional)) if there]
        out.append(f"| {f.name} | {', '.join([limit(f.type)] + notes)} | {f.about.replace('|', '/')} |")
    return out


def message(unit, m):
    other = unit.sides[1 - unit.sides.index(m.by)]
    facts = [f"{m.by} to {other}"]
    if m.answer:
        facts.append(f"a call, answered by `{m.answer}`")
    elif m.is_answer:
        calls = ", ".join(f"`{c.name}`" for c in unit.of("message") if c.answer == m.name)
        facts.append(f"answers {calls}")
    else:
        facts.append("one-way")
    facts += ["once"] if m.once else []
    facts += [f"in {', '.join(m.states)}"] if m.states is not None else []
    facts += [f"then {m.then}"] if m.then else []
    facts += [f"up to {m.fds()} descriptor{'s' if m.fds() > 1 else ''}"] if m.fds() else []
    return ["", f"### {m.number}. {m.name}", "", "; ".join(facts) + "." + (f" {m.about}" if m.about else "")] + fields(m)


def unit_page(unit):
    title = f"## {unit.sides[0]} and {unit.sides[1]}" if unit.sides else f"## Shared: {unit.stem}"
    out = ["", title] + (["", unit.about] if unit.about else [])
    if unit.states:
        out += ["", f"States of the channel, the first one first: {', '.join(unit.states)}."]
    for e in unit.of("enum"):
        out += ["", f"enum {e.name}: " + ", ".join(v + (f" ({a})" if a else "") for v, a in e.values) + "."]
        out += [e.about] if e.about else []
    for r in unit.of("record"):
        out += ["", f"record {r.name}" + (f": {r.about}" if r.about else "")] + fields(r)
    for m in unit.of("message"):
        out += message(unit, m)
    return out


def page(units):
    out = [TITLE.rstrip()]
    for unit in sorted(units, key=lambda u: (u.sides is None, u.stem)):
        out += unit_page(unit)
    return "\n".join(out) + "\n"
