// The one door to libssh2: Swift sees functions, not the function-like macros of libssh2.h.
#pragma once
#include <libssh2.h>
