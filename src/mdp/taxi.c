#include "mdp/taxi.h"

#include "mdp/draft.h"

enum { SIDE = 5, PLACES = 4, RIDING = 4, STATES = 500, ACTIONS = 6 };
enum { SOUTH, NORTH, EAST, WEST, PICK_UP, DROP_OFF };

/* |: a wall between two cells of a row */
static const char *const map[SIDE] = {"R: | : :G",
                                      " : | : : ", " : : : : ", " | : | : ", "Y| : |B: "};

typedef struct Ride {
  int row, column, passenger, destination;
} Ride;

typedef struct Effect {
  Ride ride;
  double reward;
  int done;
} Effect;

static ptrdiff_t encode(Ride r) {
  return ((r.row * SIDE + r.column) * (PLACES + 1) + r.passenger) * PLACES + r.destination;
}

static Ride decode(int s) {
  return (Ride){s / (PLACES * (PLACES + 1) * SIDE), s / (PLACES * (PLACES + 1)) % SIDE,
                s / PLACES % (PLACES + 1), s % PLACES};
}

/* which of R, G, Y, B the taxi stands at, or -1 */
static int place_of(Ride r) {
  switch (map[r.row][2 * r.column]) {
  case 'R': return 0;
  case 'G': return 1;
  case 'Y': return 2;
  case 'B': return 3;
  default: return -1;
  }
}

static Ride drive(Ride r, int action) {
  if (action == SOUTH && r.row < SIDE - 1) {
    r.row++;
  } else if (action == NORTH && r.row > 0) {
    r.row--;
  } else if (action == EAST && r.column < SIDE - 1 && map[r.row][2 * r.column + 1] == ':') {
    r.column++;
  } else if (action == WEST && r.column > 0 && map[r.row][2 * r.column - 1] == ':') {
    r.column--;
  }
  return r;
}

static Effect take(Ride r, int action) {
  const int place = place_of(r);
  if (action < PICK_UP) {
    return (Effect){drive(r, action), -1.0, 0};
  }
  if (action == PICK_UP && r.passenger != RIDING && r.passenger == place) {
    r.passenger = RIDING;
    return (Effect){r, -1.0, 0};
  }
  if (action == DROP_OFF && r.passenger == RIDING && place >= 0) {
    r.passenger = place;
    return place == r.destination ? (Effect){r, 20.0, 1} : (Effect){r, -1.0, 0};
  }
  return (Effect){r, -10.0, 0};
}

Status taxi_make(Mdp *mdp, double gamma, Arena *ws) {
  Draft d;
  draft_init(&d, STATES, ACTIONS);
  for (int s = 0; s < STATES; s++) {
    const Ride ride = decode(s);
    if (ride.passenger != RIDING && ride.passenger != ride.destination) {
      draft_start(&d, s, 1.0 / 300.0);
    }
    for (int a = 0; a < ACTIONS; a++) {
      const Effect effect = take(ride, a);
      draft_add(&d, s, a, 1.0, encode(effect.ride), effect.reward, effect.done);
    }
  }
  return draft_finish(&d, mdp, gamma, ws);
}
