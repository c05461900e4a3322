/* classic control for any processor */
#define CLASSIC_TABLE classic_generic
#include "env/classic_template.h"
