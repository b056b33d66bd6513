"""Writes the C of a declaration: structs, tables, typed functions, test and fuzz target."""

from declare import SCALARS


def c_name(item):
    return f"{item.unit.prefix}_{item.name}"


def comment(text):
    return f" /* {text.replace('*/', '* /')} */" if text else ""


def c_type(t):
    if t.kind in SCALARS:
        return SCALARS[t.kind][0]
    if t.kind == "enum":
        return f"enum {c_name(t.item)}"
    if t.kind == "record":
        return f"struct {c_name(t.item)}"
    return {"id": "trace_id", "bytes": "unsigned char", "str": "str", "body": "struct body", "fd": "int"}[t.kind]


def member(field):
    t = field.type
    if t.kind == "list":
        e = t.element
        stars = f"(*p)[{e.max}]" if e.kind == "bytes" else "*p"
        return f"struct {{ const {c_type(e)} {stars}; size_t n; }} {field.name};"
    return f"{c_type(t)} {field.name}{f'[{t.max}]' if t.kind == 'bytes' else ''};"


def struct(item):
    out = [f"struct {c_name(item)} {{"]
    for f in item.fields:
        limit = ""
        if f.type.kind in ("str", "body", "list"):
            limit = f"at most {f.type.max}"
        out.append(f"\t{member(f)}{comment('; '.join(x for x in (f.about, limit) if x))}")
    if not item.fields:
        out.append("\tchar none; /* this message has no fields */")
    return out + ["};", ""]


def enum(item):
    out = [f"enum {c_name(item)} {{"]
    for i, (value, about) in enumerate(item.values):
        out.append(f"\t{c_name(item).upper()}_{value.upper()} = {i},{comment(about)}")
    return out + ["};", ""]


def limits(item):
    rows = [f"\t{c_name(item)}_{f.name}_MAX".upper() + f" = {f.type.max},"
            for f in item.fields if f.type.kind in ("str", "body", "list")]
    return ["enum {"] + rows + ["};", ""] if rows else []


def typed(item):
    """The calls for one message that need no channel."""
    n = c_name(item)
    return [
        f"extern const struct talk_shape {n}_shape;",
        f"static inline result {n}_encode(const struct {n} *m, struct talk_out *out)",
        "{", f"\treturn talk_encode(&{n}_shape, m, out);", "}",
        f"static inline result {n}_decode(struct talk_in *in, struct {n} *m)",
        "{", f"\treturn talk_decode(&{n}_shape, in, m);", "}",
        f"static inline void {n}_print(const struct {n} *m, buf *out)",
        "{", f"\ttalk_print(&{n}_shape, m, out);", "}",
        f"static inline void {n}_release(struct {n} *m)",
        "{", f"\ttalk_release(&{n}_shape, m);", "}", ""]


def handler(m):
    n, u = c_name(m), m.unit.prefix
    if m.answer:
        return f"result (*{m.name})(struct arrival *in, struct {n} *m, struct {u}_{m.answer} *answer)"
    return f"void (*{m.name})(struct arrival *in, struct {n} *m)"


def heard_by(unit, side):
    """The messages for which this side needs a handler."""
    return [m for m in unit.of("message") if m.by != side and not m.is_answer]


def side(unit, name):
    """What one side needs to open its end of a channel."""
    n = f"{unit.prefix}_as_{name}"
    heard = heard_by(unit, name)
    out = [f"/* The handlers of {name}; one that is NULL refuses. */", f"struct {n} {{"]
    out += [f"\t{handler(m)};{comment(m.about)}" for m in heard] or ["\tchar none; /* only answers come here */"]
    return out + [
        "};", f"extern const struct channel_kind {n}_kind;",
        f"static inline result {unit.prefix}_open_as_{name}(const struct channel_options *o, const struct {n} *handlers,",
        "\t\tstruct channel **out)",
        "{", f"\treturn channel_open(o, &{n}_kind, handlers, out);", "}", ""]


def saying(m, trace):
    return f"&(struct saying){{&{m.unit.prefix}_pair, {c_name(m).upper()}, {trace}, m}}"


def speaking(m):
    """The functions that send one message; answers are sent by the channel."""
    n, out = c_name(m), []
    if m.is_answer:
        return out
    if not m.answer:
        for verb in ("send", "offer"):
            out += [f"static inline result {n}_{verb}(struct channel *c, const trace_id *trace, const struct {n} *m)",
                    "{", f"\treturn channel_{verb}(c, {saying(m, 'trace')});", "}"]
        return out + [""]
    a = f"{m.unit.prefix}_{m.answer}"
    return [f"static inline result {n}_call(struct channel *c, const trace_id *trace, const struct {n} *m, arena *a,",
            f"\t\tstruct {a} *answer)", "{",
            f"\treturn channel_call(c, {saying(m, 'trace')},",
            "\t\t&(struct hearing){a, FIBER_FOREVER, answer});", "}",
            f"static inline result {n}_call_within(struct channel *c, const struct asking *ask, const struct {n} *m,",
            f"\t\tstruct {a} *answer)", "{",
            f"\treturn channel_call(c, {saying(m, 'ask->trace')},",
            "\t\t&(struct hearing){ask->arena, ask->timeout_ms, answer});", "}", ""]


def dispatch(unit, name):
    n = f"{unit.prefix}_as_{name}"
    out = [f"static result {name}_hears(const void *handlers, unsigned number, struct arrival *in, void *m, void *answer)",
           "{"]
    heard = heard_by(unit, name)
    if heard:
        out += [f"\tconst struct {n} *h = handlers;", "\tif (!h)", "\t\treturn channel_unhandled();",
                "\tswitch (number) {"]
    for m in heard:
        out += [f"\tcase {c_name(m).upper()}:"]
        if m.answer:
            out += [f"\t\treturn h->{m.name} ? h->{m.name}(in, m, answer) : channel_unhandled();"]
        else:
            out += [f"\t\tif (h->{m.name})", f"\t\t\th->{m.name}(in, m);", "\t\treturn OK;"]
    out += ["\tdefault: break;", "\t}"] if heard else []
    unused = [] if heard else ["handlers", "number", "in", "m"]
    unused += ["answer"] if not any(m.answer for m in heard) else []
    out += [f"\t(void){u};" for u in unused]
    return out + ["\treturn channel_unhandled();", "}",
                  f"const struct channel_kind {n}_kind = "
                  f"{{&{unit.prefix}_pair, {unit.sides.index(name)}, {name}_hears}};", ""]


def head(unit, what):
    return [f"/* {what} Made from {unit.path.name}; change that file instead. */"]


def header(unit, folder):
    guard = f"TALK_{unit.prefix}_H".upper()
    out = head(unit, unit.about or "Shared declarations.")
    out += [f"#ifndef {guard}", f"#define {guard}", "",
            '#include "talk/speak.h"' if unit.sides else '#include "talk/codec.h"']
    out += [f'#include "{folder}/{u.prefix}.h"' for u in unit.includes] + [""]
    if unit.sides:
        out += [f"extern const struct talk_pair {unit.prefix}_pair;", ""]
        out += [f"enum {unit.prefix}_number {{"]
        out += [f"\t{c_name(m).upper()} = {m.number},{comment(m.about)}" for m in unit.of("message")] + ["};", ""]
    for item in unit.items:
        out += [f"/* {item.about} */"] if item.about else []
        out += enum(item) if item.kind == "enum" else struct(item) + limits(item)
        out += typed(item) if item.kind == "message" else []
        if item.kind == "record":
            out += [f"extern const struct talk_shape {c_name(item)}_shape;", ""]
        if item.kind == "enum":
            out += [f"extern const char *const {c_name(item)}_names[{len(item.values)}];", ""]
    for m in unit.of("message"):
        out += speaking(m)
    for name in unit.sides or []:
        out += side(unit, name)
    return "\n".join(out + ["#endif", ""])


def table_name(t):
    return "TALK_" + (SCALARS[t.kind][2] if t.kind in SCALARS else t.kind.upper())


def row(t, place, wire_min, extra):
    cells = [place, f".type = {table_name(t)}", f".wire_min = {wire_min}"] + extra
    if t.kind in ("str", "body", "list", "bytes", "enum"):
        cells.append(f".max = {t.max}")
    if t.kind == "enum":
        cells.append(f".names = {c_name(t.item)}_names")
    if t.kind == "record":
        cells.append(f".record = &{c_name(t.item)}_shape")
    return "{" + ", ".join(cells) + "}"


def field_tables(item):
    n, out, rows = c_name(item), [], []
    for f in item.fields:
        extra = []
        extra += [".secret = true"] if f.secret else []
        extra += [".optional = true"] if f.optional else []
        if f.type.kind == "list":
            element = f"{item.name}_{f.name}_element"
            cells = row(f.type.element, f"ELEMENT({n}, {f.name})", f.type.element.wire_min(), [])
            out += [f"static const struct talk_field {element} =", f"\t{cells};"]
            extra.append(f".element = &{element}")
        rows.append("\t" + row(f.type, f"MEMBER({n}, {f.name})", f.wire_min(), extra) + ",")
    if rows:
        out += [f"static const struct talk_field {item.name}_fields[] = {{"] + rows + ["};"]
    fields = f"{item.name}_fields" if rows else "NULL"
    out += [f"const struct talk_shape {n}_shape = {{", f'\t.name = "{item.name}", .fields = {fields}, .n = {len(rows)},',
            f"\t.size = sizeof(struct {n}), .fds = {item.fds()},", "};", ""]
    return out


def message_row(unit, m):
    cells = [f".shape = &{c_name(m)}_shape", f".by = {unit.sides.index(m.by)}"]
    states = unit.states.index(m.then) if m.then else "TALK_NO_STATE"
    allowed = sum(1 << unit.states.index(s) for s in m.states) if m.states is not None else "UINT32_MAX"
    cells += [f".then = {states}", f".states = {allowed}"]
    cells += [".once = true"] if m.once else []
    cells += [".is_answer = true"] if m.is_answer else []
    cells += [f".answer = {c_name(unit.message(m.answer)).upper()}"] if m.answer else []
    return f"\t[{c_name(m).upper()}] = {{{', '.join(cells)}}},"


def pair_table(unit):
    out = []
    if unit.states:
        out += [f"static const char *const states[] = {{{', '.join(chr(34) + s + chr(34) for s in unit.states)}}};"]
    out += ["static const struct talk_message messages[] = {"]
    out += [message_row(unit, m) for m in unit.of("message")] + ["};"]
    states = f"\t.states = states, .states_n = {len(unit.states)}," if unit.states else "\t.states_n = 1,"
    out += [f"const struct talk_pair {unit.prefix}_pair = {{",
            f'\t.name = "{unit.stem}", .sides = {{"{unit.sides[0]}", "{unit.sides[1]}"}},', states,
            f"\t.messages = messages, .n = {len(unit.of('message'))},", "};", ""]
    return out


MACROS = """#define MEMBER(S, F) .name = #F, .size = sizeof((struct S *)0)->F, .offset = offsetof(struct S, F)
#define ELEMENT(S, F) .name = #F, .size = sizeof(*((struct S *)0)->F.p)
"""


def source(unit, folder):
    out = head(unit, unit.about or "Shared declarations.") + [f'#include "{folder}/{unit.prefix}.h"', "", MACROS]
    for item in unit.items:
        if item.kind == "enum":
            names = ", ".join(f'"{v[0]}"' for v in item.values)
            out += [f"_Static_assert(sizeof(enum {c_name(item)}) == 4, \"the codec stores enums as 32 bits\");"]
            out += [f"const char *const {c_name(item)}_names[{len(item.values)}] = {{{names}}};", ""]
        else:
            out += field_tables(item)
    if unit.sides:
        out += pair_table(unit)
        for name in unit.sides:
            out += dispatch(unit, name)
    return "\n".join(out)


def test(unit, folder):
    out = head(unit, "Every message goes there and back; everything out of its limits is refused.")
    out += [f'#include "{folder}/{unit.prefix}.h"', '#include "talk/test/pair_check.h"', ""]
    out += ["int main(void)", "{", f"\treturn pair_check(&{unit.prefix}_pair);", "}", ""]
    return "\n".join(out)


def fuzz(unit, folder):
    out = head(unit, "What decodes encodes to the same octets.")
    out += [f'#include "{folder}/{unit.prefix}.h"', '#include "talk/test/pair_check.h"', ""]
    out += ["int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);",
            "int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)", "{",
            f"\tpair_fuzz(&{unit.prefix}_pair, str_of((const char *)data, size));", "\treturn 0;", "}", ""]
    return "\n".join(out)
