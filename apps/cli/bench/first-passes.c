// The first passes of DARE (two bf16 models and a base) and of arcee_fusion (one and a base), and the masks by chance and by rank in rows that
// DELLA needs (of one and a base), with the instructions that the WebAssembly kernels have, 128 bits wide: prints the least nanoseconds each takes
// for an element of a chunk that is in cache. Built by passes.mjs, where there is a compiler.
#include <immintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ELEMENTS = 1 << 17, COLUMNS = 2048, CALLS = 200 };

/** Values are added up from memory, a block at a time. */
enum { BLOCK = 512, MOST_SUMS = 4 };

/** Sums as the kernels keep them: lanes 0 and 1, and lanes 2 and 3; and the values of a block. */
typedef struct {
  __m128d low, high;
} Sum;
static float values[MOST_SUMS][BLOCK];

static inline __m128 abs4(__m128 x) { return _mm_and_ps(x, _mm_castsi128_ps(_mm_set1_epi32(0x7fffffff))); }

static inline void load8(const uint16_t *from, __m128 into[2]) {
  __m128i halves = _mm_loadu_si128((const __m128i *)from);
  into[0] = _mm_castsi128_ps(_mm_unpacklo_epi16(_mm_setzero_si128(), halves));
  into[1] = _mm_castsi128_ps(_mm_unpackhi_epi16(_mm_setzero_si128(), halves));
}

static inline __m128d widen(const float *from) {
  return _mm_cvtps_pd(_mm_castsi128_ps(_mm_loadl_epi64((const __m128i *)from)));
}

static inline void addUp(Sum *sums, int count) {
  for (int at = 0; at < BLOCK; at += 4)
    for (int n = 0; n < count; n++) {
      sums[n].low = _mm_add_pd(sums[n].low, widen(values[n] + at));
      sums[n].high = _mm_add_pd(sums[n].high, widen(values[n] + at + 2));
    }
}

static double total(Sum sum) {
  double lanes[2];
  _mm_storeu_pd(lanes, _mm_add_pd(sum.low, sum.high));
  return lanes[0] + lanes[1];
}

static inline __m128i fold(__m128i h, int by) { return _mm_xor_si128(h, _mm_srli_epi32(h, by)); }

static inline __m128i mix(__m128i folded) {
  __m128i h = _mm_mullo_epi32(folded, _mm_set1_epi32((int)0x85ebca6b));
  return _mm_mullo_epi32(fold(h, 13), _mm_set1_epi32((int)0xc2b2ae35));
}

static double dare(const uint16_t *const in[3], uint8_t *codes, const uint32_t low[2], const uint32_t high[2]) {
  Sum sums[4] = {0};
  const __m128i sign = _mm_set1_epi32((int)0x80000000), limit = _mm_set1_epi32((int)0x80000000);
  const __m128i folded = _mm_xor_si128(_mm_srli_epi32(limit, 16), sign), below = _mm_xor_si128(limit, sign);
  for (int start = 0; start < ELEMENTS; start += BLOCK) {
    for (int at = 0; at < BLOCK; at += 8) {
      int i = start + at;
      __m128 x[3][2];
      __m128i code[2] = {_mm_setzero_si128(), _mm_setzero_si128()};
      for (int slot = 0; slot < 3; slot++) load8(in[slot] + i, x[slot]);
      __m128i lanes = _mm_add_epi32(_mm_set1_epi32(i), _mm_setr_epi32(0, 1, 2, 3));
      for (int group = 0; group < 2; group++)
        for (int m = 0; m < 2; m++) {
          __m128i words = _mm_add_epi32(lanes, _mm_set1_epi32((int)low[m] + 4 * group));
          __m128i drawn = mix(_mm_xor_si128(mix(fold(words, 16)), _mm_set1_epi32((int)high[m])));
          __m128i mask = _mm_cmpgt_epi32(below, _mm_xor_si128(drawn, folded));
          __m128 d = abs4(_mm_sub_ps(x[m + 1][group], x[0][group]));
          _mm_storeu_ps(values[m] + at + 4 * group, d);
          _mm_storeu_ps(values[m + 2] + at + 4 * group, _mm_and_ps(d, _mm_castsi128_ps(mask)));
          code[group] = _mm_or_si128(code[group], _mm_and_si128(mask, _mm_set1_epi32(1 << m)));
        }
      __m128i halves = _mm_packs_epi32(code[0], code[1]);
      _mm_storel_epi64((__m128i *)(codes + i), _mm_packus_epi16(halves, halves));
    }
    addUp(sums, 4);
  }
  return total(sums[0]) + total(sums[1]) + total(sums[2]) + total(sums[3]);
}

static inline __m128 ofSmall(__m128 x) {
  const float c[6] = {1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f};
  __m128 y = _mm_set1_ps(c[0]);
  for (int k = 1; k < 6; k++) y = _mm_add_ps(_mm_mul_ps(y, x), _mm_set1_ps(c[k]));
  return _mm_add_ps(_mm_add_ps(_mm_mul_ps(y, _mm_mul_ps(x, x)), x), _mm_set1_ps(1));
}

static inline __m128 exponential(__m128 a) {
  __m128 x = _mm_min_ps(_mm_max_ps(a, _mm_set1_ps(-104)), _mm_set1_ps(89));
  __m128 whole = _mm_floor_ps(_mm_add_ps(_mm_mul_ps(x, _mm_set1_ps(1.44269504f)), _mm_set1_ps(0.5f)));
  __m128i n = _mm_sub_epi32(_mm_castps_si128(_mm_add_ps(whole, _mm_set1_ps(12582912))), _mm_set1_epi32(0x4b400000));
  x = _mm_sub_ps(x, _mm_mul_ps(whole, _mm_set1_ps(0.693359375f)));
  x = _mm_sub_ps(x, _mm_mul_ps(whole, _mm_set1_ps(-2.12194440e-4f)));
  __m128 y = ofSmall(x);
  __m128i half = _mm_srai_epi32(n, 1), bias = _mm_set1_epi32(127);
  __m128 first = _mm_castsi128_ps(_mm_slli_epi32(_mm_add_epi32(half, bias), 23));
  __m128 second = _mm_castsi128_ps(_mm_slli_epi32(_mm_add_epi32(_mm_sub_epi32(n, half), bias), 23));
  return _mm_mul_ps(_mm_mul_ps(y, first), second);
}

static double fusion(const uint16_t *const in[2]) {
  double result = 0;
  __m128i widest = _mm_setzero_si128();
  const __m128i small = _mm_castps_si128(_mm_set1_ps(0.34f));
  for (int row = 0; row < ELEMENTS; row += COLUMNS) {
    Sum sums[3] = {0};
    for (int start = row; start < row + COLUMNS; start += BLOCK) {
      for (int at = 0; at < BLOCK; at += 8) {
        __m128 base[2], other[2], power[2];
        load8(in[0] + start + at, base);
        load8(in[1] + start + at, other);
        __m128i largest = _mm_max_epi32(_mm_castps_si128(abs4(other[0])), _mm_castps_si128(abs4(other[1])));
        __m128i large = _mm_cmpgt_epi32(largest, small);
        int isSmall = _mm_testz_si128(large, large);
        for (int group = 0; group < 2; group++) power[group] = isSmall ? ofSmall(other[group]) : exponential(other[group]);
        for (int group = 0; group < 2; group++) {
          __m128 d = _mm_sub_ps(other[group], base[group]), rest = _mm_set1_ps(1.0f / 720);
          widest = _mm_max_epi32(widest, _mm_castps_si128(abs4(d)));
          for (int k = 0; k < 3; k++) {
            const float factorials[3] = {120, 24, 6};
            rest = _mm_sub_ps(_mm_set1_ps(1 / factorials[k]), _mm_mul_ps(d, rest));
          }
          __m128 bend = _mm_mul_ps(_mm_mul_ps(d, d), _mm_sub_ps(_mm_set1_ps(0.5f), _mm_mul_ps(d, rest)));
          _mm_storeu_ps(values[0] + at + 4 * group, power[group]);
          _mm_storeu_ps(values[1] + at + 4 * group, _mm_mul_ps(power[group], d));
          _mm_storeu_ps(values[2] + at + 4 * group, _mm_mul_ps(power[group], bend));
        }
      }
      addUp(sums, 3);
    }
    result += total(sums[0]) + total(sums[1]) + total(sums[2]);
  }
  return result + _mm_extract_epi32(widest, 0);
}

/** Counters of a row: one for zeros, then two for each 128th of an octave, for what has leading bits alone and for the rest; and those past the last. */
enum { PER_OCTAVE = 256, OCTAVES = 10, ROOM = 24 };
static uint8_t compress[256][16];

/** Makes the byte indices that move sets of eight lanes to the front. */
static void makeCompress(void) {
  memset(compress, 255, sizeof compress);
  for (int set = 0; set < 256; set++)
    for (int lane = 0, to = 0; lane < 8; lane++)
      if (set >> lane & 1) {
        compress[set][to++] = (uint8_t)(2 * lane);
        compress[set][to++] = (uint8_t)(2 * lane + 1);
      }
}

static int32_t greatestOf(__m128i x) {
  x = _mm_max_epi32(x, _mm_shuffle_epi32(x, 0x4e));
  return _mm_cvtsi128_si32(_mm_max_epi32(x, _mm_shuffle_epi32(x, 0xb1)));
}

static inline __m128i isKept(__m128i word, __m128i rank, float from, float step) {
  __m128 u = _mm_mul_ps(_mm_cvtepi32_ps(_mm_srli_epi32(fold(word, 16), 8)), _mm_set1_ps(0x1p-24f));
  __m128 limit = _mm_add_ps(_mm_set1_ps(from), _mm_mul_ps(_mm_cvtepi32_ps(rank), _mm_set1_ps(step)));
  return _mm_castps_si128(_mm_cmplt_ps(u, limit));
}

/** The masks u < from + step * rank, rank the place of |in[1] - in[0]| in its row: by counts, where these don't tell by counting one by one. */
static double keepByRank(const uint16_t *const in[2], int16_t *masks, uint32_t low, uint32_t high, float from, float step) {
  static uint32_t keys[COLUMNS + ROOM], words[COLUMNS + ROOM], bins[COLUMNS + ROOM];
  static uint16_t list[COLUMNS + ROOM], table[1 << 13];
  const __m128i signs = _mm_set1_epi16(-0x8000), one = _mm_set1_epi32(1), half = _mm_set1_epi32(0xffff);
  const __m128i least = _mm_set1_epi16((short)((int)(from * 65536) - 0x8000));
  const __m128i most = _mm_set1_epi16((short)((int)((from + (COLUMNS - 1) * step) * 65536) + 1 - 0x8000));
  double sum = 0;
  int first = 1, counters = 0;
  for (int row = 0; row < ELEMENTS; row += COLUMNS) {
    int16_t *mask = masks + row;
    uint16_t *end;
    for (;;) {
      __m128i index = _mm_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7);
      end = list;
      for (int i = 0; i < COLUMNS; i += 8) {
        __m128 base[2], other[2];
        __m128i place[2], leading[2];
        load8(in[0] + row + i, base);
        load8(in[1] + row + i, other);
        __m128i lanes = _mm_add_epi32(_mm_set1_epi32(row + i), _mm_setr_epi32(0, 1, 2, 3));
        for (int group = 0; group < 2; group++) {
          __m128i bits = _mm_castps_si128(abs4(_mm_sub_ps(other[group], base[group])));
          __m128i key = _mm_min_epi32(bits, _mm_set1_epi32(0x7f800001));
          __m128i drawn = _mm_add_epi32(lanes, _mm_set1_epi32((int)low + 4 * group));
          drawn = mix(_mm_xor_si128(mix(fold(drawn, 16)), _mm_set1_epi32((int)high)));
          __m128i rest = _mm_add_epi32(_mm_and_si128(key, _mm_set1_epi32(0x7fff)), _mm_set1_epi32(0x7fff));
          _mm_storeu_si128((__m128i *)(keys + i + 4 * group), key);
          _mm_storeu_si128((__m128i *)(words + i + 4 * group), drawn);
          place[group] = _mm_srli_epi32(_mm_or_si128(key, rest), 15);
          leading[group] = _mm_srai_epi32(drawn, 16);
        }
        __m128i at = _mm_packus_epi32(place[0], place[1]), in16 = _mm_subs_epu16(at, _mm_set1_epi16((short)first));
        in16 = _mm_add_epi16(_mm_min_epu16(in16, _mm_set1_epi16((short)counters)), _mm_min_epu16(at, _mm_set1_epi16(1)));
        in16 = _mm_add_epi16(in16, in16);
        _mm_storeu_si128((__m128i *)(bins + i), _mm_cvtepu16_epi32(in16));
        _mm_storeu_si128((__m128i *)(bins + i + 4), _mm_unpackhi_epi16(in16, _mm_setzero_si128()));
        __m128i drawn = _mm_xor_si128(_mm_packs_epi32(leading[0], leading[1]), signs);
        __m128i kept = _mm_cmplt_epi16(drawn, least), open = _mm_andnot_si128(kept, _mm_cmplt_epi16(drawn, most));
        _mm_storeu_si128((__m128i *)(mask + i), kept);
        int set = _mm_movemask_epi8(_mm_packs_epi16(open, _mm_setzero_si128()));
        _mm_storeu_si128((__m128i *)end, _mm_shuffle_epi8(index, _mm_loadu_si128((const __m128i *)compress[set])));
        end += __builtin_popcount((unsigned)set);
        index = _mm_add_epi16(index, _mm_set1_epi16(8));
      }
      if (counters > 0) break;
      __m128i greatest = _mm_setzero_si128();
      for (int i = 0; i < COLUMNS; i += 4) greatest = _mm_max_epi32(greatest, _mm_loadu_si128((const __m128i *)(keys + i)));
      int last = greatestOf(greatest) >> 15;
      first = (last > OCTAVES * PER_OCTAVE ? last - OCTAVES * PER_OCTAVE : 1) | 1;
      counters = (last + 4 - first) & ~1;
    }
    memset(table, 0, 2 * (size_t)(counters + ROOM));
    for (int i = 0; i < COLUMNS; i++) {
      uint16_t *counter = (uint16_t *)((char *)table + (uint16_t)bins[i]);
      bins[i] |= (uint32_t)*counter << 16;
      ++*counter;
    }
    __m128i before = _mm_setzero_si128();
    for (int bin = 0; bin < counters + 3; bin += 8) {
      __m128i eight = _mm_loadu_si128((const __m128i *)(table + bin)), sums = _mm_add_epi16(eight, _mm_slli_si128(eight, 2));
      sums = _mm_add_epi16(sums, _mm_slli_si128(sums, 4));
      sums = _mm_add_epi16(sums, _mm_slli_si128(sums, 8));
      _mm_storeu_si128((__m128i *)(table + bin), _mm_sub_epi16(_mm_add_epi16(sums, before), eight));
      before = _mm_add_epi16(before, _mm_shuffle_epi8(sums, _mm_set1_epi16(0x0f0e)));
    }
    bins[COLUMNS] = 0;
    for (int i = 0; i < 4; i++) end[i] = COLUMNS;
    uint16_t *left = list;
    for (const uint16_t *at = list; at < end; at += 4) {
      uint32_t bin[4], counts[4], word[4];
      int16_t out[8];
      for (int lane = 0; lane < 4; lane++) {
        bin[lane] = bins[at[lane]];
        word[lane] = words[at[lane]];
        memcpy(counts + lane, (char *)table + (uint16_t)bin[lane], 4);
      }
      __m128i bins4 = _mm_loadu_si128((const __m128i *)bin), counts4 = _mm_loadu_si128((const __m128i *)counts);
      __m128i own = _mm_cmpeq_epi32(_mm_and_si128(bins4, _mm_set1_epi32(2)), _mm_setzero_si128());
      __m128i lowest = _mm_add_epi32(_mm_and_si128(counts4, half), _mm_and_si128(_mm_srli_epi32(bins4, 16), own));
      __m128i highest = _mm_sub_epi32(_mm_srli_epi32(counts4, 16), one), drawn = _mm_loadu_si128((const __m128i *)word);
      __m128i kept = isKept(drawn, lowest, from, step);
      int open = _mm_movemask_ps(_mm_castsi128_ps(_mm_andnot_si128(own, _mm_xor_si128(kept, isKept(drawn, highest, from, step)))));
      _mm_storeu_si128((__m128i *)out, _mm_packs_epi32(kept, kept));
      __m128i indices = _mm_loadl_epi64((const __m128i *)at);
      for (int lane = 0; lane < 4; lane++) mask[at[lane]] = out[lane];
      _mm_storel_epi64((__m128i *)left, _mm_shuffle_epi8(indices, _mm_loadu_si128((const __m128i *)compress[open])));
      left += __builtin_popcount((unsigned)open);
    }
    for (const uint16_t *at = list; at < left; at++) {
      int rank = 0;
      for (int i = 0; i < COLUMNS; i++) rank += keys[i] < keys[*at] || (i < *at && keys[i] == keys[*at]);
      __m128i word = _mm_set1_epi32((int)words[*at]);
      mask[*at] = (int16_t)_mm_cvtsi128_si32(isKept(word, _mm_set1_epi32(rank), from, step));
    }
    sum += mask[0] + mask[COLUMNS - 1];
  }
  return sum;
}

static double uniform(uint32_t *state) { return (double)((*state = *state * 1664525u + 1013904223u) >> 8) / (1 << 24); }

/** A bf16 weight of a base, or of a fine-tune, as passes.mjs makes them. */
static uint16_t weight(uint32_t *state, uint32_t *own) {
  double sum = uniform(state);
  sum += uniform(state);
  sum += uniform(state);
  float value = (float)((sum - 1.5) * 0.04 + (own == NULL ? 0 : (uniform(own) - 0.5) * 0.0014));
  uint32_t bits;
  memcpy(&bits, &value, 4);
  return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

int main(void) {
  uint16_t *buffers[3];
  uint8_t *codes = malloc(ELEMENTS);
  int16_t *masks = malloc(2 * (ELEMENTS + ROOM));
  for (int slot = 0; slot < 3; slot++) {
    buffers[slot] = malloc(2 * ELEMENTS);
    uint32_t state = 1, own = (uint32_t)slot + 2;
    for (int i = 0; i < ELEMENTS; i++) buffers[slot][i] = weight(&state, slot > 0 ? &own : NULL);
  }
  const uint16_t *const in[3] = {buffers[0], buffers[1], buffers[2]};
  const uint32_t low[2] = {5, 9}, high[2] = {3, 4};
  makeCompress();
  double least[3] = {1e9, 1e9, 1e9}, sum = 0;
  for (int call = 0; call < CALLS; call++)
    for (int which = 0; which < 3; which++) {
      struct timespec start, end;
      clock_gettime(CLOCK_MONOTONIC, &start);
      sum += which == 0 ? dare(in, codes, low, high) : which == 1 ? fusion(in) : keepByRank(in, masks, 5, 3, 0.4f, 0.2f / (COLUMNS - 1));
      clock_gettime(CLOCK_MONOTONIC, &end);
      double taken = (end.tv_sec - start.tv_sec) * 1e9 + (end.tv_nsec - start.tv_nsec);
      if (taken < least[which]) least[which] = taken;
    }
  printf("%.2f %.2f %.2f %g\n", least[0] / ELEMENTS, least[1] / ELEMENTS, least[2] / ELEMENTS, sum);
  return 0;
}
