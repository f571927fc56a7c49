// The first passes of DARE (two bf16 models and a base) and of arcee_fusion (one and a base), and the ranks of differences in rows that DELLA
// needs (of one and a base), with the instructions that the WebAssembly kernels have, 128 bits wide: prints the least nanoseconds each takes
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

enum { BINS = 1 << 14 };

static uint32_t leastOf(__m128i x) {
  x = _mm_min_epu32(x, _mm_shuffle_epi32(x, 0x4e));
  return (uint32_t)_mm_cvtsi128_si32(_mm_min_epu32(x, _mm_shuffle_epi32(x, 0xb1)));
}

/** The places of all |in[1] - in[0]| in their row, written to ranks: bins of the row's own range, and what shares one is settled in pairs. */
static double rankRows(const uint16_t *const in[2], uint32_t *ranks) {
  static uint32_t keys[COLUMNS], table[BINS + 16];
  static int64_t pairs[COLUMNS + 8];
  double sum = 0;
  for (int row = 0; row < ELEMENTS; row += COLUMNS) {
    __m128i least = _mm_set1_epi32(-1), greatest = _mm_setzero_si128(), one = _mm_set1_epi32(1);
    for (int i = 0; i < COLUMNS; i += 8) {
      __m128 base[2], other[2];
      load8(in[0] + row + i, base);
      load8(in[1] + row + i, other);
      for (int group = 0; group < 2; group++) {
        __m128 d = abs4(_mm_sub_ps(other[group], base[group]));
        __m128i key = _mm_or_si128(_mm_slli_epi32(_mm_castps_si128(d), 1), _mm_castps_si128(_mm_cmpunord_ps(d, d)));
        _mm_storeu_si128((__m128i *)(keys + i + 4 * group), key);
      }
    }
    for (int i = 0; i < COLUMNS; i += 4) {
      __m128i four = _mm_loadu_si128((const __m128i *)(keys + i));
      least = _mm_min_epu32(least, _mm_sub_epi32(four, one));
      greatest = _mm_max_epu32(greatest, four);
    }
    uint32_t largest = ~leastOf(_mm_xor_si128(greatest, _mm_set1_epi32(-1))), lowest = leastOf(least);
    if (lowest > largest) lowest = largest;
    if (largest > 1u << 28 && lowest < largest - (1u << 28)) lowest = largest - (1u << 28);
    int shift = __builtin_clz(COLUMNS) - (largest > lowest ? __builtin_clz(largest - lowest) : 32);
    if (shift < 0) shift = 0;
    uint32_t start = lowest + 1 - (1u << shift), bins = (((largest - start) >> shift) + 16) & ~15u;
    for (uint32_t bin = 0; bin < bins; bin += 4) _mm_storeu_si128((__m128i *)(table + bin), _mm_setzero_si128());
    uint32_t *rank = ranks + row;
    for (int i = 0; i < COLUMNS; i += 4) {
      __m128i four = _mm_max_epu32(_mm_loadu_si128((const __m128i *)(keys + i)), _mm_set1_epi32((int)lowest));
      __m128i bin = _mm_srl_epi32(_mm_sub_epi32(four, _mm_set1_epi32((int)start)), _mm_cvtsi32_si128(shift));
      _mm_storeu_si128((__m128i *)(rank + i), bin);
    }
    for (int i = 0; i < COLUMNS; i++) table[rank[i]]++;
    __m128i before = _mm_setzero_si128();
    for (uint32_t bin = 0; bin < bins; bin += 4) {
      __m128i four = _mm_loadu_si128((const __m128i *)(table + bin)), sums = _mm_add_epi32(four, _mm_slli_si128(four, 4));
      sums = _mm_add_epi32(sums, _mm_slli_si128(sums, 8));
      _mm_storeu_si128((__m128i *)(table + bin), _mm_sub_epi32(_mm_add_epi32(sums, before), four));
      before = _mm_add_epi32(before, _mm_shuffle_epi32(sums, 0xff));
    }
    int64_t *first = pairs + 1;
    pairs[0] = INT64_MIN;
    for (int i = 0; i < COLUMNS; i++) {
      uint32_t place = table[rank[i]]++;
      rank[i] = place;
      first[place] = (int64_t)((uint64_t)(keys[i] ^ 0x80000000u) << 32 | (uint32_t)i);
    }
    for (int at = 0; at < COLUMNS; at += 8) {
      __m128i wrong = _mm_setzero_si128();
      for (int i = at; i < at + 8; i += 2)
        wrong = _mm_or_si128(wrong, _mm_cmpgt_epi64(_mm_loadu_si128((const __m128i *)(first + i - 1)), _mm_loadu_si128((const __m128i *)(first + i))));
      if (_mm_testz_si128(wrong, wrong)) continue;
      for (int i = at; i < at + 8; i++) {
        int64_t pair = first[i];
        int to = i;
        for (; first[to - 1] > pair; to--) rank[(uint32_t)(first[to] = first[to - 1])] = (uint32_t)to;
        if (to < i) rank[(uint32_t)(first[to] = pair)] = (uint32_t)to;
      }
    }
    sum += rank[0] + rank[COLUMNS - 1];
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
  uint32_t *ranks = malloc(4 * ELEMENTS);
  for (int slot = 0; slot < 3; slot++) {
    buffers[slot] = malloc(2 * ELEMENTS);
    uint32_t state = 1, own = (uint32_t)slot + 2;
    for (int i = 0; i < ELEMENTS; i++) buffers[slot][i] = weight(&state, slot > 0 ? &own : NULL);
  }
  const uint16_t *const in[3] = {buffers[0], buffers[1], buffers[2]};
  const uint32_t low[2] = {5, 9}, high[2] = {3, 4};
  double least[3] = {1e9, 1e9, 1e9}, sum = 0;
  for (int call = 0; call < CALLS; call++)
    for (int which = 0; which < 3; which++) {
      struct timespec start, end;
      clock_gettime(CLOCK_MONOTONIC, &start);
      sum += which == 0 ? dare(in, codes, low, high) : which == 1 ? fusion(in) : rankRows(in, ranks);
      clock_gettime(CLOCK_MONOTONIC, &end);
      double taken = (end.tv_sec - start.tv_sec) * 1e9 + (end.tv_nsec - start.tv_nsec);
      if (taken < least[which]) least[which] = taken;
    }
  printf("%.2f %.2f %.2f %g\n", least[0] / ELEMENTS, least[1] / ELEMENTS, least[2] / ELEMENTS, sum);
  return 0;
}
