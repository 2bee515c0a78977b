/*
 * How the functions of a native part that JavaScript calls leave when Node-API refuses something: with an exception
 * pending, and NULL.
 */
#ifndef NATIVE_BUILD_TRY_H
#define NATIVE_BUILD_TRY_H

#include <node_api.h>

/* Leaves the function with a JavaScript exception if a Node-API call fails. */
#define TRY(call)                              \
  do {                                         \
    if (!succeeded(env, (call))) return NULL;  \
  } while (0)

/* 1, or 0 with a JavaScript exception pending. */
static inline int succeeded(napi_env env, napi_status status)
{
  bool thrown = false;

  if (status == napi_ok) return 1;
  napi_is_exception_pending(env, &thrown);
  if (!thrown) napi_throw_error(env, NULL, "a Node-API call failed");
  return 0;
}

#endif
