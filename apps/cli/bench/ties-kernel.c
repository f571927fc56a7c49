// The last pass of TIES over a base and two bf16 models with the instructions that the WebAssembly kernel has, 128 bits wide: prints the
// least nanoseconds an element takes in a chunk that is in cache. Built by passes.mjs, where there is a compiler.
#include <immintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ELEMENTS = 1 << 17, CALLS = 400 };

static __m128 abs4(__m128 x) { return _mm_and_ps(x, _mm_castsi128_ps(_mm_set1_epi32(0x7fffffff))); }

static __m128i rounded(__m128 x) {
  __m128i bits = _mm_castps_si128(x), odd = _mm_and_si128(_mm_srli_epi32(bits, 16), _mm_set1_epi32(1));
  return _mm_srli_epi32(_mm_add_epi32(_mm_add_epi32(bits, _mm_set1_epi32(0x7fff)), odd), 16);
}

static int64_t ties(const uint16_t *const in[3], uint16_t *out, const float threshold[2], const float weight[2]) {
  const __m128 zero = _mm_setzero_ps(), one = _mm_set1_ps(1), minusOne = _mm_set1_ps(-1);
  const __m128 largest = _mm_set1_ps(3.3895314e38f);
  __m128i finite = _mm_setzero_si128();
  for (int i = 0; i < ELEMENTS; i += 8) {
    __m128 x[3][2], result[2];
    for (int slot = 0; slot < 3; slot++) {
      __m128i halves = _mm_loadu_si128((const __m128i *)(in[slot] + i));
      x[slot][0] = _mm_castsi128_ps(_mm_unpacklo_epi16(_mm_setzero_si128(), halves));
      x[slot][1] = _mm_castsi128_ps(_mm_unpackhi_epi16(_mm_setzero_si128(), halves));
    }
    for (int group = 0; group < 2; group++) {
      __m128 base = x[0][group], weighted[2], agreeing[2], share[2];
      for (int m = 0; m < 2; m++) {
        __m128 delta = _mm_sub_ps(x[m + 1][group], base);
        __m128 small = _mm_cmplt_ps(abs4(delta), _mm_set1_ps(threshold[m]));
        weighted[m] = _mm_mul_ps(_mm_andnot_ps(small, delta), _mm_set1_ps(weight[m]));
      }
      __m128 positive = _mm_cmpge_ps(_mm_add_ps(weighted[0], weighted[1]), zero);
      __m128 elected = _mm_xor_ps(minusOne, _mm_and_ps(positive, _mm_xor_ps(one, minusOne)));
      for (int m = 0; m < 2; m++) {
        __m128 against = _mm_cmple_ps(_mm_mul_ps(weighted[m], elected), zero);
        agreeing[m] = _mm_andnot_ps(against, weighted[m]);
        share[m] = _mm_andnot_ps(against, _mm_set1_ps(weight[m]));
      }
      __m128 sum = _mm_add_ps(share[0], share[1]), none = _mm_cmpeq_ps(sum, zero);
      __m128 divisor = _mm_or_ps(_mm_and_ps(none, one), _mm_andnot_ps(none, sum));
      __m128 mixed = _mm_div_ps(_mm_add_ps(agreeing[0], agreeing[1]), divisor);
      result[group] = _mm_add_ps(base, _mm_mul_ps(mixed, one));
      __m128 inputs = _mm_cmple_ps(abs4(_mm_add_ps(x[1][group], x[2][group])), largest);
      __m128 isFinite = _mm_and_ps(inputs, _mm_cmple_ps(abs4(result[group]), largest));
      finite = _mm_sub_epi32(finite, _mm_castps_si128(isFinite));
    }
    __m128i halves = _mm_packus_epi32(rounded(result[0]), rounded(result[1]));
    __m128i nan = _mm_packs_epi32(_mm_castps_si128(_mm_cmpneq_ps(result[0], result[0])),
                                  _mm_castps_si128(_mm_cmpneq_ps(result[1], result[1])));
    halves = _mm_or_si128(_mm_and_si128(nan, _mm_set1_epi16(0x7fc0)), _mm_andnot_si128(nan, halves));
    _mm_storeu_si128((__m128i *)(out + i), halves);
  }
  int32_t lanes[4];
  _mm_storeu_si128((__m128i *)lanes, finite);
  return (int64_t)lanes[0] + lanes[1] + lanes[2] + lanes[3];
}

int main(void) {
  uint16_t *buffers[4];
  uint32_t state = 1;
  for (int slot = 0; slot < 4; slot++) {
    buffers[slot] = malloc(2 * ELEMENTS);
    for (int i = 0; i < ELEMENTS; i++) {
      state = state * 1664525u + 1013904223u;
      buffers[slot][i] = (uint16_t)((state >> 31 << 15) | (0x3c00 + (state >> 20 & 0xff)));
    }
  }
  const uint16_t *const in[3] = {buffers[0], buffers[1], buffers[2]};
  const float threshold[2] = {0.013f, 0.013f}, weight[2] = {0.5f, 0.6f};
  double least = 1e9;
  int64_t finite = 0;
  for (int call = 0; call < CALLS; call++) {
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    finite += ties(in, buffers[3], threshold, weight);
    clock_gettime(CLOCK_MONOTONIC, &end);
    double taken = (end.tv_sec - start.tv_sec) * 1e9 + (end.tv_nsec - start.tv_nsec);
    if (taken < least) least = taken;
  }
  printf("%.2f %lld\n", least / ELEMENTS, (long long)finite);
  return 0;
}
