/* random numbers for any processor */
#define RNG_TABLE rng_table_generic
#include "base/rng_template.h"
