/* The reject thread's duty in the plainest C there is: wait for an absolute time under SCHED_FIFO, spin the last part,
   write a pin, note the time. Prints by how many nanoseconds each write was late.

   control run COUNT PERIOD SPIN   (nanoseconds)
   control burn                    (keeps a processor busy until killed) */
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

static volatile int pins[64];

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int64_t fire(int64_t due, int64_t spin)
{
    int64_t until = due - spin;
    struct timespec t = { until / 1000000000LL, until % 1000000000LL };
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) != 0) {
    }
    while (now() < due) {
    }
    pins[7] = 1;
    return now();
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "burn") == 0) {
        for (;;) {
            pins[0]++;
        }
    }
    if (argc != 5 || strcmp(argv[1], "run") != 0) {
        fprintf(stderr, "control run COUNT PERIOD SPIN, or control burn\n");
        return 2;
    }

    int count = atoi(argv[2]);
    int64_t period = atoll(argv[3]), spin = atoll(argv[4]);
    int64_t *late = calloc(count, sizeof *late);
    struct sched_param priority = { .sched_priority = 40 };
    int realtime = sched_setscheduler(0, SCHED_FIFO, &priority) == 0;
    mlockall(MCL_CURRENT | MCL_FUTURE);
    int64_t due = now() + 20000000;
    for (int i = 0; i < count; i++) {
        late[i] = fire(due, spin) - due;
        pins[7] = 0;
        due += period;
    }

    printf("%s\n", realtime ? "realtime" : "ordinary");
    for (int i = 0; i < count; i++) {
        printf("%lld\n", (long long)late[i]);
    }
    return 0;
}
