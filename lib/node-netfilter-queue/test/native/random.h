/* Numbers that look random and are the same in every run (xorshift64*), for the native tests. */
#include <stddef.h>
#include <stdint.h>

static uint64_t state = 0x9e3779b97f4a7c15;

static inline uint32_t next_random(void)
{
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return (uint32_t)(state * 0x2545f4914f6cdd1d >> 32);
}

/* Less than `bound`. */
static inline uint32_t below(uint32_t bound)
{
  return next_random() % bound;
}

static inline void fill_random(uint8_t *bytes, size_t length)
{
  for (size_t i = 0; i < length; i++) bytes[i] = (uint8_t)next_random();
}
