/* Makes TCP connections, or accepts them; load.py is its twin for a machine without a compiler.
 *
 *     load serve PORT                               prints "ready" when it listens
 *     load connect ADDRESS PORT COUNT IN_FLIGHT     prints connections a second, and how many failed
 *
 * Both ends close with a reset, so that no port lingers. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 64, GIVE_UP = 30 /* seconds */ };

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec * 1e-9;
}

static void reset_on_close(int descriptor) {
    struct linger at_once = {1, 0};
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

static int serve(int port) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(port)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 4096)) {
        perror("load");
        return 1;
    }
    puts("ready");
    fflush(stdout);
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        if (connection < 0)
            continue;
        reset_on_close(connection);
        close(connection);
    }
}

/* Begins a connection; -1 if it is refused at once. */
static int begin(int poll, const struct sockaddr_in *there) {
    int made = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (made < 0)
        return -1;
    reset_on_close(made);
    if (connect(made, (const struct sockaddr *)there, sizeof *there) && errno != EINPROGRESS) {
        close(made);
        return -1;
    }
    struct epoll_event wanted = {.events = EPOLLOUT, .data.fd = made};
    return epoll_ctl(poll, EPOLL_CTL_ADD, made, &wanted);
}

/* Ends a connection; 1 if it was never made. */
static int finish(int made) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(made, SOL_SOCKET, SO_ERROR, &error, &size);
    close(made);
    return error != 0 && error != ECONNRESET;
}

static int make(const struct sockaddr_in *there, long count, long in_flight) {
    long begun = 0, ended = 0, failed = 0;
    int poll = epoll_create1(EPOLL_CLOEXEC);
    double start = now();
    while (ended < count && now() - start < GIVE_UP) {
        for (; begun < count && begun - ended < in_flight; begun++) {
            if (begin(poll, there)) {
                failed++;
                ended++;
            }
        }
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(poll, events, EVENTS, 1000);
        for (int i = 0; i < ready; i++, ended++)
            failed += finish(events[i].data.fd);
    }
    printf("%.0f %ld\n", (ended - failed) / (now() - start), failed + count - ended);
    return 0;
}

int main(int count, char **words) {
    if (count == 3 && !strcmp(words[1], "serve"))
        return serve(atoi(words[2]));
    if (count != 6 || strcmp(words[1], "connect")) {
        fprintf(stderr, "usage: load serve PORT | load connect ADDRESS PORT COUNT IN_FLIGHT\n");
        return 2;
    }
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(atoi(words[3]))};
    if (!inet_aton(words[2], &there.sin_addr)) {
        fprintf(stderr, "load: %s is not an address\n", words[2]);
        return 2;
    }
    return make(&there, atol(words[4]), atol(words[5]));
}
