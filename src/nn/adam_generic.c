/* Adam's loop in portable C */
#define ADAM_TABLE adam_generic
#include "nn/adam_template.h"
