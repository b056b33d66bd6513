/* The same as describe.c, told by GMime: an oracle of the differential test. */
#include "frames.h"
#include "base/fail.h"

#include <gmime/gmime.h>

static json_t *text_of(const char *s)
{
	if (!s)
		return json_null();
	if (g_utf8_validate(s, -1, NULL))
		return json_string(s);
	char *valid = g_utf8_make_valid(s, -1);
	json_t *v = json_string(valid);
	g_free(valid);
	return v;
}

static json_t *type_of(GMimeObject *o)
{
	char *name = g_mime_content_type_get_mime_type(g_mime_object_get_content_type(o));
	char *lower = g_ascii_strdown(name, -1);
	json_t *v = text_of(lower);
	g_free(lower);
	g_free(name);
	return v;
}

static void put_contents(GMimeObject *o, json_t *v)
{
	GMimeDataWrapper *content = g_mime_part_get_content(GMIME_PART(o));
	GMimeStream *s = g_mime_stream_mem_new();
	if (content)
		g_mime_data_wrapper_write_to_stream(content, s);
	GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(s));
	json_object_set_new(v, "decoded", json_digest(str_of((const char *)bytes->data, bytes->len)));
	g_object_unref(s);
	char *text = GMIME_IS_TEXT_PART(o) ? g_mime_text_part_get_text(GMIME_TEXT_PART(o)) : NULL;
	if (text)
		json_object_set_new(v, "text", json_digest(str_from(text)));
	g_free(text);
}

static void put_part(GMimeObject *o, int depth, json_t *list)
{
	json_t *v = json_object();
	const char *encoding = NULL;
	json_object_set_new(v, "depth", json_integer(depth));
	json_object_set_new(v, "type", type_of(o));
	json_object_set_new(v, "charset", text_of(g_mime_object_get_content_type_parameter(o, "charset")));
	json_object_set_new(v, "disposition", text_of(g_mime_object_get_disposition(o)));
	json_array_append_new(list, v);
	if (GMIME_IS_MESSAGE_PART(o)) {
		GMimeMessage *m = g_mime_message_part_get_message(GMIME_MESSAGE_PART(o));
		if (m && g_mime_message_get_mime_part(m))
			put_part(g_mime_message_get_mime_part(m), depth + 1, list);
	} else if (GMIME_IS_MULTIPART(o)) {
		int n = g_mime_multipart_get_count(GMIME_MULTIPART(o));
		for (int i = 0; i < n; i++)
			put_part(g_mime_multipart_get_part(GMIME_MULTIPART(o), i), depth + 1, list);
	} else if (GMIME_IS_PART(o)) {
		encoding = g_mime_content_encoding_to_string(g_mime_part_get_content_encoding(GMIME_PART(o)));
		json_object_set_new(v, "name", text_of(g_mime_part_get_filename(GMIME_PART(o))));
		put_contents(o, v);
	}
	json_object_set_new(v, "encoding", text_of(encoding));
}

static void put_addresses(InternetAddressList *from, json_t *list)
{
	int n = from ? internet_address_list_length(from) : 0;
	for (int i = 0; i < n; i++) {
		InternetAddress *a = internet_address_list_get_address(from, i);
		json_t *v = json_object();
		json_array_append_new(list, v);
		if (INTERNET_ADDRESS_IS_GROUP(a)) {
			json_object_set_new(v, "group", text_of(internet_address_get_name(a)));
			put_addresses(internet_address_group_get_members(INTERNET_ADDRESS_GROUP(a)), list);
			json_array_append_new(list, json_pack("{s:n}", "group"));
		} else {
			const char *spec = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(a));
			json_object_set_new(v, "name", text_of(internet_address_get_name(a)));
			json_object_set_new(v, "address", text_of(spec));
		}
	}
}

static json_t *addresses(InternetAddressList *from)
{
	json_t *list = json_array();
	put_addresses(from, list);
	return list;
}

static json_t *references(GMimeMessage *m, const char *field)
{
	json_t *list = json_array();
	const char *value = g_mime_object_get_header(GMIME_OBJECT(m), field);
	GMimeReferences *refs = value ? g_mime_references_parse(NULL, value) : NULL;
	for (int i = 0; refs && i < g_mime_references_length(refs); i++)
		json_array_append_new(list, text_of(g_mime_references_get_message_id(refs, i)));
	if (refs)
		g_mime_references_free(refs);
	return list;
}

static json_t *date_of(GMimeMessage *m)
{
	GDateTime *date = g_mime_message_get_date(m);
	if (!date)
		return json_null();
	return json_pack("{s:I, s:i}", "seconds", (json_int_t)g_date_time_to_unix(date), "zone",
	                 (int)(g_date_time_get_utc_offset(date) / G_TIME_SPAN_MINUTE));
}

static json_t *describe(str message, void *ctx)
{
	(void)ctx;
	json_t *v = json_object(), *list = json_array();
	GMimeStream *s = g_mime_stream_mem_new_with_buffer(message.p ? message.p : "", message.n);
	GMimeParser *parser = g_mime_parser_new_with_stream(s);
	GMimeMessage *m = g_mime_parser_construct_message(parser, NULL);
	g_object_unref(parser);
	g_object_unref(s);
	json_object_set_new(v, "parts", list);
	if (!m)
		return v;
	if (g_mime_message_get_mime_part(m))
		put_part(g_mime_message_get_mime_part(m), 0, list);
	json_object_set_new(v, "subject", text_of(g_mime_message_get_subject(m)));
	json_object_set_new(v, "date", date_of(m));
	json_object_set_new(v, "message_id", text_of(g_mime_message_get_message_id(m)));
	json_object_set_new(v, "in_reply_to", references(m, "In-Reply-To"));
	json_object_set_new(v, "references", references(m, "References"));
	json_object_set_new(v, "from", addresses(g_mime_message_get_from(m)));
	json_object_set_new(v, "sender", addresses(g_mime_message_get_sender(m)));
	json_object_set_new(v, "reply_to", addresses(g_mime_message_get_reply_to(m)));
	json_object_set_new(v, "to", addresses(g_mime_message_get_to(m)));
	json_object_set_new(v, "cc", addresses(g_mime_message_get_cc(m)));
	json_object_set_new(v, "bcc", addresses(g_mime_message_get_bcc(m)));
	g_object_unref(m);
	return v;
}

int main(int argc, char **argv)
{
	g_mime_init();
	int status = describe_all(argc, argv, describe, NULL);
	g_mime_shutdown();
	return status;
}
