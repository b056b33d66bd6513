/* Quoted-printable (RFC 2045 section 6.7), as streams over chunks of any size.
 *
 * Decoding never fails: a bad escape is kept as text, soft breaks and line
 * ends may be bare LFs, hexadecimal digits may be lower case, lines may have
 * any length. Blanks before a line end go, as the RFC says; a run of more than
 * QP_HELD_MAX bytes that could be such blanks is taken for text. Output goes to
 * the caller's buf, whose ceiling shows in buf_result. Nothing suspends. */
#ifndef GRAMMAR_QP_H
#define GRAMMAR_QP_H

#include "base/buf.h"

enum {
	QP_LINE_MAX = 76, /* printed characters of a line, without CRLF */
	QP_HELD_MAX = 256,
};

enum qp_state {
	QP_TEXT,    /* nothing is held */
	QP_BLANKS,  /* blanks that a line end would remove */
	QP_CR,	    /* those and a CR */
	QP_EQUALS,  /* "=" */
	QP_HEX,	    /* "=" and one hexadecimal digit */
	QP_SOFT,    /* "=" and blanks: a soft break when the line ends */
	QP_SOFT_CR, /* those and a CR */
};

/* Zero it to begin. */
struct qp_decoder {
	enum qp_state state;
	bool damaged; /* an escape was malformed */
	uint16_t held_n;
	char held[QP_HELD_MAX]; /* bytes whose meaning the next one decides */
};

void qp_decode(struct qp_decoder *d, str in, buf *out);
void qp_decode_finish(struct qp_decoder *d, buf *out);

/* Zero it to begin. With `binary` CR and LF are encoded; without, CRLF is a line break. */
struct qp_encoder {
	bool binary;
	char held; /* a blank or CR whose form the next byte decides; 0 for none */
	uint8_t column;
};

void qp_encode(struct qp_encoder *e, str in, buf *out);
void qp_encode_finish(struct qp_encoder *e, buf *out);

#endif
