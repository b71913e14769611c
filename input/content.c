#include "input/content.h"

#include <string.h>
#include <unistr.h>

/* Bytes at an offset that no text has there, and what they tell. */
struct signature {
	size_t offset, length;
	const char *bytes, *message;
};

#define AT(offset, bytes, message)                                                                                     \
	{                                                                                                              \
		offset, sizeof(bytes) - 1, bytes, message                                                              \
	}
#define UNPACK(kind) kind ": unpack it first"
#define PIPE(method, program) "compressed with " method ": pipe it through " program
#define OFFICE "office document: convert it to text first"

/* The longest come first where one begins as another. */
static const struct signature signatures[] = {
    AT(0, "BZh", PIPE("bzip2", "bzcat")),
    AT(0,
       "\xfd"
       "7zXZ\0",
       PIPE("xz", "xzcat")),
    AT(0, "\x5d\0\0", PIPE("lzma", "xzcat")),
    AT(0, "LZIP", PIPE("lzip", "lzip -dc")),
    AT(0, "\x04\x22\x4d\x18", PIPE("lz4", "lz4 -dc")),
    AT(0, "\x89LZO\0", PIPE("lzop", "lzop -dc")),
    AT(0, "\x1f\x9d", PIPE("compress", "zcat")),
    AT(0, "\x1f\x8b\x08", "compressed twice: pipe it through zcat"),
    AT(0, "\x28\xb5\x2f\xfd", "compressed twice: pipe it through zstd -dc"),
    AT(0, "7z\xbc\xaf\x27\x1c", UNPACK("7z archive")),
    AT(0, "Rar!\x1a\x07", UNPACK("RAR archive")),
    AT(257, "ustar", UNPACK("tar archive")),
    AT(0, "!<arch>\n", UNPACK("ar archive")),
    AT(0, "PK\x05\x06", UNPACK("ZIP archive")),
    AT(0, "%PDF-", "PDF document: convert it to text first (pdftotext)"),
    AT(0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OFFICE),
    AT(0, "AT&TFORM", "DjVu document: convert it to text first"),
    AT(0, "\x89PNG\r\n\x1a\n", "PNG image"),
    AT(0, "\xff\xd8\xff", "JPEG image"),
    AT(0, "GIF8", "GIF image"),
    AT(0, "II*\0", "TIFF image"),
    AT(0, "MM\0*", "TIFF image"),
    AT(8, "WEBP", "WebP image"),
    AT(8, "WAVE", "sound file"),
    AT(8, "AVI ", "video file"),
    AT(0, "ID3", "sound file"),
    AT(0, "OggS", "sound or video file"),
    AT(0, "fLaC", "sound file"),
    AT(4, "ftyp", "video or image file"),
    AT(0, "\x1a\x45\xdf\xa3", "video file"),
    AT(0,
       "\x7f"
       "ELF",
       "program or library"),
    AT(0, "\xca\xfe\xba\xbe", "program or library"),
    AT(0, "\xcf\xfa\xed\xfe", "program or library"),
    AT(0, "\0asm", "program or library"),
    AT(0, "SQLite format 3", "SQLite database"),
    AT(16, "\xde\xc0\xef\xbe", "index of trawl or other LMDB database"),
    AT(0, "PAR1", "Parquet file: convert it to JSON Lines first"),
    AT(0, "ARROW1", "Arrow file: convert it to JSON Lines first"),
    AT(0, "Obj\x01", "Avro file: convert it to JSON Lines first"),
    AT(0, "\x89HDF\r\n\x1a\n", "HDF5 file"),
    AT(0, "\x93NUMPY", "NumPy file"),
    AT(0, "wOFF", "font"),
    AT(0, "wOF2", "font"),
};

static bool has_bytes(const uint8_t *head, size_t length, const char *bytes)
{
	return memmem(head, length, bytes, strlen(bytes)) != NULL;
}

/* Office documents and books are ZIP archives, which their first entries tell. */
static const char *name_zip(const uint8_t *head, size_t length)
{
	static const char *const office[] = {
	    "[Content_Types].xml", "_rels/", "word/", "xl/", "ppt/", "application/vnd.oasis.opendocument"};
	for (size_t i = 0; i < sizeof office / sizeof *office; i++)
		if (has_bytes(head, length, office[i]))
			return OFFICE;
	if (has_bytes(head, length, "application/epub+zip"))
		return "EPUB book: convert it to text first";
	return UNPACK("ZIP archive");
}

/* Bytes that text has only by accident; not those of terminals and printers (\a to \r, escape). */
static size_t count_controls(const uint8_t *head, size_t length)
{
	size_t count = 0;
	for (size_t i = 0; i < length; i++)
		count += head[i] < 7 || (head[i] > 13 && head[i] < 32 && head[i] != 27) || head[i] == 127;
	return count;
}

/* A character at the very end may be cut off by it. */
static bool is_utf8(const uint8_t *head, size_t length)
{
	const uint8_t *invalid = u8_check(head, length);
	return !invalid || (size_t)(invalid - head) + 4 > length;
}

/* A text may begin with the letters of a signature. PDF may be nothing but letters. */
static bool may_be_text(const uint8_t *head, size_t length, const struct signature *signature)
{
	const uint8_t *bytes = (const uint8_t *)signature->bytes;
	return signature->bytes[0] != '%' && !u8_check(bytes, signature->length) &&
	       !count_controls(bytes, signature->length) && is_utf8(head, length) && !memchr(head, 0, length);
}

static const char *find_signature(const uint8_t *head, size_t length)
{
	if (length >= 4 && memcmp(head, "PK\x03\x04", 4) == 0)
		return name_zip(head, length);
	for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
		const struct signature *s = &signatures[i];
		if (length >= s->offset + s->length && memcmp(head + s->offset, s->bytes, s->length) == 0 &&
		    !may_be_text(head, length, s))
			return s->message;
	}
	return NULL;
}

static void find_mark(const uint8_t *head, size_t length, struct content *content)
{
	/* UTF-32's little-endian mark begins as that of UTF-16. */
	static const struct {
		const char *bytes;
		size_t length;
		const char *encoding;
	} marks[] = {{"\xff\xfe\0\0", 4, "UTF-32LE"},
	             {"\0\0\xfe\xff", 4, "UTF-32BE"},
	             {"\xff\xfe", 2, "UTF-16LE"},
	             {"\xfe\xff", 2, "UTF-16BE"},
	             {"\xef\xbb\xbf", 3, "UTF-8"}};
	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
		if (length >= marks[i].length && memcmp(head, marks[i].bytes, marks[i].length) == 0) {
			content->encoding = marks[i].encoding;
			content->mark = marks[i].length;
			return;
		}
	}
}

/* Of a head with a NUL in it: UTF-16 without a mark has them as each other byte wherever its text is in Latin letters. */
static const char *name_nuls(const uint8_t *head, size_t length)
{
	size_t nuls[2] = {0};
	for (size_t i = 0; i < length; i++)
		nuls[i & 1] += head[i] == 0;
	if (nuls[0] + nuls[1] < 4)
		return "binary file";
	if (nuls[1] * 4 >= length && nuls[0] * 20 <= nuls[1])
		return "UTF-16 without a byte order mark: --encoding UTF-16LE reads it";
	if (nuls[0] * 4 >= length && nuls[1] * 20 <= nuls[0])
		return "UTF-16 without a byte order mark: --encoding UTF-16BE reads it";
	return "binary file";
}

void content_examine(const uint8_t *head, size_t length, bool encoded, struct content *content)
{
	if (length > CONTENT_HEAD)
		length = CONTENT_HEAD;
	*content = (struct content){0};
	find_mark(head, length, content);
	if (content->mark == 4 || content->mark == 2)
		return;
	content->binary = find_signature(head + content->mark, length - content->mark);
	if (content->binary || encoded || content_begins_as_json(head + content->mark, length - content->mark))
		return; /* a NUL in JSON is a mistake of one line */
	if (length && memchr(head, 0, length))
		content->binary = name_nuls(head, length);
	else if (!is_utf8(head, length) && count_controls(head, length) * 32 > length)
		content->binary = "binary file";
}

const char *content_examine_converted(const uint8_t *head, size_t length)
{
	size_t replaced = 0;
	for (size_t i = 0; i + 3 <= length; i++)
		replaced += memcmp(head + i, "\xef\xbf\xbd", 3) == 0;
	return (length && memchr(head, 0, length)) || (replaced > 3 && replaced * 16 > length) ? "binary file" : NULL;
}

static size_t skip_blanks(const uint8_t *head, size_t length, size_t at)
{
	while (at < length && (head[at] == ' ' || (head[at] >= '\t' && head[at] <= '\r')))
		at++;
	return at;
}

/* The first two bytes that are no blanks; 0 where there are none. */
static void find_beginning(const uint8_t *head, size_t length, uint8_t beginning[2])
{
	size_t first = skip_blanks(head, length, 0), next = skip_blanks(head, length, first + 1);
	beginning[0] = first < length ? head[first] : 0;
	beginning[1] = next < length ? head[next] : 0;
}

bool content_begins_as_json(const uint8_t *head, size_t length)
{
	uint8_t first[2];
	find_beginning(head, length, first);
	return first[0] == '{' ? first[1] == '"' || first[1] == '}' : first[0] == '[' && first[1] == '{';
}

bool content_is_empty_array(const uint8_t *head, size_t length)
{
	uint8_t first[2];
	find_beginning(head, length, first);
	return first[0] == '[' && first[1] == ']';
}

bool content_has_object_line(const uint8_t *head, size_t length)
{
	for (size_t at = 0; at < length;) {
		if ((at = skip_blanks(head, length, at)) < length && head[at] == '{')
			return true;
		const uint8_t *feed = memchr(head + at, '\n', length - at);
		at = feed ? (size_t)(feed - head) + 1 : length;
	}
	return false;
}
