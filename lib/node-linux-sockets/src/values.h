/* Numbers on their way between C and JavaScript. */
#ifndef SOCKETS_VALUES_H
#define SOCKETS_VALUES_H

#include <try.h>

static inline napi_value number(napi_env env, double value)
{
  napi_value result = NULL;
  napi_create_double(env, value, &result);
  return result;
}

/* Reads `count` integers from the arguments; NULL with an exception pending if one is not a number. */
static inline napi_value integers(napi_env env, const napi_value *arguments, size_t count, int32_t *into)
{
  for (size_t i = 0; i < count; i++) TRY(napi_get_value_int32(env, arguments[i], &into[i]));
  return arguments[0];
}

#endif
