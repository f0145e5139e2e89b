/* The same decoding work in C, as a yardstick: packed, zoned and binary numbers to int64 or to 16-byte decimals, text to
   UTF-8 through the reader's own tables, with a list of what is odd. Built by `make bench` where a compiler is; nothing
   else uses it. A field is a row of the reader's own plan; its columns come as macros from extractors/plan.py, and KERNEL
   holds one of the usages below instead of an address. */
#include <stdint.h>
#include <string.h>

enum { PACKED, ZONED, BINARY, TEXT, FILLED };
typedef uint64_t u64;
typedef int64_t i64;
typedef uint8_t u8;

static inline u64 be64(const u8 *p) { u64 w; memcpy(&w, p, 8); return __builtin_bswap64(w); }

static inline u64 fold_nibbles(u64 w) {
    w = (w & 0x0F0F0F0F0F0F0F0FULL) + 10 * ((w >> 4) & 0x0F0F0F0F0F0F0F0FULL);
    w = (w & 0x00FF00FF00FF00FFULL) + 100 * ((w >> 8) & 0x00FF00FF00FF00FFULL);
    w = (w & 0x0000FFFF0000FFFFULL) + 10000 * ((w >> 16) & 0x0000FFFF0000FFFFULL);
    return (w & 0xFFFFFFFFULL) + 100000000ULL * (w >> 32);
}

static inline u64 not_decimal(u64 w) { return (w >> 3) & ((w >> 2) | (w >> 1)) & 0x1111111111111111ULL; }

static inline u64 fold_digits(u64 w) {
    w &= 0x0F0F0F0F0F0F0F0FULL;
    w = (w & 0x000F000F000F000FULL) + 10 * ((w >> 8) & 0x000F000F000F000FULL);
    w = (w & 0x000000FF000000FFULL) + 100 * ((w >> 16) & 0x000000FF000000FFULL);
    return (w & 0xFFFFFFFFULL) + 10000 * (w >> 32);
}

static inline u64 not_zoned(u64 w) {
    return ((w & 0xF0F0F0F0F0F0F0F0ULL) ^ 0xF0F0F0F0F0F0F0F0ULL)
         | (((w & 0x0F0F0F0F0F0F0F0FULL) + 0x0606060606060606ULL) & 0x1010101010101010ULL);
}

static i64 text(const u8 *data, const i64 *pos, i64 first, i64 last, i64 *plan, i64 *listed, i64 found) {
    u8 *out = (u8 *)plan[OUT], *at = out + plan[AT];
    const uint32_t *one = (const uint32_t *)plan[SINGLE], *two = (const uint32_t *)plan[DOUBLE];
    int32_t *ends = (int32_t *)plan[ENDS];
    for (i64 r = first; r < last; r++) {
        const u8 *p = data + pos[r] + plan[OFFSET], *end = p + plan[WIDTH], *stop = end;
        while (stop - p >= 8 && be64(stop - 8) == 0x4040404040404040ULL) stop -= 8;
        while (stop > p && stop[-1] == 0x40) stop--;
        u8 *start = at;
        u64 flag = 0;
        int wide = (int)plan[STARTS_DOUBLE];
        while (p < stop) {
            uint32_t entry = wide ? two[p[0] << 8 | p[1]] : one[p[0]];
            int size = wide ? 2 : 1;
            if (entry < (1u << 26) && p + size <= end) {
                memcpy(at, &entry, 4); at += entry >> 24; p += size;
                continue;
            }
            uint32_t action = entry >> 30;
            if (action) { flag |= ((action == 1) == wide) ? 256 : 0; wide = action == 1; p++; continue; }
            if (p + size > end) { memcpy(at, "\xEF\xBF\xBD", 4); at += 3; flag |= 64; break; }
            uint32_t length = entry >> 24 & 7, word = entry & 0xFFFFFF;
            if (length == 4) word = word << 8 | 0xF0;
            memcpy(at, &word, 4); at += length; p += size;
            uint32_t kind = entry >> 27 & 7;
            if (kind != 7) flag |= (1u << kind) >> 1;
        }
        if (wide && !plan[STARTS_DOUBLE]) flag |= 128;
        while (at > start) {
            if (at[-1] == 0x20) at--;
            else if (at - start >= 3 && at[-1] == 0x80 && at[-2] == 0x80 && at[-3] == 0xE3) at -= 3;
            else break;
        }
        ends[r + 1] = (int32_t)(at - out);
        listed[found] = (i64)flag << 32 | r;
        found += flag != 0;
    }
    plan[AT] = at - out;
    return found;
}

static i64 numbers(const u8 *data, const i64 *pos, i64 first, i64 last, const i64 *plan, i64 *listed, i64 found) {
    i64 *out = (i64 *)plan[OUT], stride = plan[STRIDE], width = plan[WIDTH], digits = plan[DIGITS];
    u64 plus = (u64)plan[PLUS], minus = (u64)plan[MINUS], cut = (u64)(64 - 8 * (width > 8 ? 8 : width));
    u64 mask = ~0ULL >> cut, zones = 0xF0F0F0F0F0F0F0F0ULL, spare = digits % 2 ? 0 : (u64)0xF << (4 * (digits + 1) & 63);
    i64 limit = 1, lead = (width - 8) % 8;
    for (i64 i = 0; i < (digits < 18 ? digits : 18); i++) limit *= 10;
    u64 lead_mask = lead > 0 ? ~0ULL >> (64 - 8 * lead) : 0;
    for (i64 r = first; r < last; r++) {
        const u8 *start = data + pos[r] + plan[OFFSET];
        u64 word = be64(start + width - 8), bad = 0, beyond = 0;
        i64 value;
        if (plan[KERNEL] == PACKED) {
            word = width < 8 ? word & mask : word;
            u64 sign = word & 0xF, negative = minus >> sign & 1, total = fold_nibbles(word >> 4);
            bad = not_decimal(word >> 4) | ((((plus | minus) >> sign) & 1) ^ 1);
            if (width > 8) { u64 part = be64(start + lead - 8) & lead_mask; bad |= not_decimal(part); total += fold_nibbles(part) * 1000000000000000ULL; }
            value = (i64)((total ^ (0 - negative)) + negative);
            beyond = width <= 8 && (word & spare) != 0;
        } else if (plan[KERNEL] == ZONED) {
            u64 cell = width < 8 ? (word & mask) | (zones & ~mask) : word, zone = cell >> 4 & 0xF;
            bad = not_zoned(cell | 0xF0) | ((((plus | minus) >> zone) & 1) ^ 1);
            u64 total = fold_digits(cell), negative = minus >> zone & 1;
            if (width > 8) {
                u64 part = (be64(start + lead - 8) & lead_mask) | (zones & ~lead_mask), upper;
                bad |= not_zoned(part); upper = fold_digits(part);
                for (const u8 *p = start + lead; p < start + width - 8; p += 8) { part = be64(p); bad |= not_zoned(part); upper = upper * 100000000ULL + fold_digits(part); }
                total += upper * 100000000ULL;
            }
            value = (i64)((total ^ (0 - negative)) + negative);
        } else {
            value = minus ? (i64)(word << cut) >> cut : (i64)((word << cut) >> cut);
            bad = !minus && value < 0;
            beyond = !bad && (value >= limit || value <= -limit);
        }
        out[stride * r] = value;
        if (stride == 2) out[2 * r + 1] = value >> 63;
        listed[found] = (i64)(bad ? 1 : beyond << 1) << 32 | r;
        found += bad || beyond;
    }
    return found;
}

static void filled(const u8 *data, const i64 *pos, i64 first, i64 last, const i64 *plan) {
    const u8 *empty = (const u8 *)plan[SINGLE];
    for (i64 r = first; r < last; r++) {
        const u8 *p = data + pos[r] + plan[OFFSET], *stop = p + plan[WIDTH];
        while (stop - p >= 8 && be64(p) == 0x4040404040404040ULL) p += 8;
        while (p < stop && empty[*p]) p++;
        *(i64 *)plan[OUT] += p < stop;
    }
}

void decode(i64 *plan, i64 fields, i64 count, const u8 *data, const i64 *pos, i64 touch) {
    i64 seen = 0;
    for (i64 first = 0; first < count; first += 512) {
        i64 last = first + 512 < count ? first + 512 : count;
        if (touch)
            for (i64 r = first; r < last; r++)
                for (i64 line = 0; line < touch; line += 64) seen ^= data[pos[r] + line];
        for (i64 f = 0; f < fields; f++) {
            i64 *row = plan + f * COLUMNS;
            if (row[KERNEL] == FILLED) filled(data, pos, first, last, row);
            else if (row[KERNEL] == TEXT) row[FOUND] = text(data, pos, first, last, row, (i64 *)row[LIST], row[FOUND]);
            else row[FOUND] = numbers(data, pos, first, last, row, (i64 *)row[LIST], row[FOUND]);
        }
    }
    plan[fields * COLUMNS] = seen;
}

/* A look-up of every byte: what any decoder that looks at all bytes must do at the least. */
void look_up(const u8 *data, u8 *out, i64 count, const u8 *table) {
    for (i64 i = 0; i < count; i++) out[i] = table[data[i]];
}
