/* Groups of UDP sockets as JavaScript sees them. */
#ifndef SOCKETS_GROUP_ADDON_H
#define SOCKETS_GROUP_ADDON_H

#include <node_api.h>

/* Adds the functions to `exports`, and returns that; NULL with an exception pending. */
napi_value group_addon(napi_env env, napi_value exports);

#endif
