/* What smtp.c and smtp_params.c share; no one else includes it. */
#ifndef GRAMMAR_SMTP_PART_H
#define GRAMMAR_SMTP_PART_H

#include "grammar/smtp/smtp.h"

#define FAULT(CODE, STATUS, TEXT) ((struct smtp_fault){(CODE), (STATUS), (TEXT), {NULL, 0}})

/* Writes the fault (about `word`) and gives the result to return. */
result smtp_refuse(struct smtp_parser *p, struct smtp_fault fault, str word) NODISCARD;
/* The fault for a failed parse of an address or value: the arena's limit, or the given one with the reason in r. */
result smtp_refuse_because(struct smtp_parser *p, result r, struct smtp_fault fault, str word) NODISCARD;

bool smtp_is_blank(unsigned char c);
bool smtp_not_blank(unsigned char c);

/* "KEY=value KEY ..." up to the end of the line, into out->mail or out->rcpt. */
result smtp_take_params(struct smtp_parser *p, cursor *c, struct smtp_command *out) NODISCARD;
/* XCLIENT's attributes up to the end of the line. */
result smtp_take_xclient(struct smtp_parser *p, cursor *c, struct smtp_command *out) NODISCARD;

#endif
