/* Roomtone forwarder in C99, for routers and other hosts without Python: the same as roomtone_forward.py, the
 * same options, the same protocol (see there).
 *
 *     cc -O2 -std=c99 -pthread -o roomtone_forward roomtone_forward.c                          plain UDP only
 *     cc -O2 -std=c99 -pthread -DWITH_TLS -o roomtone_forward roomtone_forward.c -lssl -lcrypto
 *
 * One thread reads the card and never waits for the network; the other sends. Between them is a ring of
 * records in which the oldest makes room for the newest.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#ifdef WITH_TLS
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#endif

#define MAX_RECORD 65000
#define BATCH_BYTES 65536
#define TIMEOUT_S 10
#define TOLD_EVERY_S 60
#define RECEIVE_BUFFER (4 * 1024 * 1024)
#define SECRET_SIZE 256
#define CN_INDEX (11 + 0xf) /* CN_NETLINK_USERS since Linux 3.10, and what the CSI tool's kernel adds */
#define NETLINK_CONNECTOR_PROTOCOL 11
#define SOL_NETLINK_LEVEL 270
#define NETLINK_JOIN 1
#define TCP_USER_TIMEOUT_OPTION 18
#define NLMSG_SIZE 16u /* linux/netlink.h: u32 length, u16 type, ... */
#define CN_MSG_SIZE 20u /* linux/connector.h: u32 index, value, seq, ack; u16 length, flags */

static const char USAGE[] =
    "roomtone_forward --nic NIC --source SOURCE --to tls://HOST:PORT|udp://HOST:PORT\n"
    "                 [--link LINK] [--fingerprint SHA256] [--secret-file FILE] [--queue N]\n"
    "\n"
    "Forward a card's records to a Roomtone adapter elsewhere, record by record.\n"
    "sources: netlink[:INDEX], netlink:fd=N, dev[:PATH] (/dev/CSI_dev), - (standard input), file:PATH\n"
    "The token comes in ROOMTONE_TOKEN; the secret that replaces it is kept in FILE.\n"
    "\n"
    "Example (`roomtone links enroll` prints the line that fits):\n"
    "  ROOMTONE_TOKEN=... ./roomtone_forward --nic atheros --source dev --link l2 \\\n"
    "      --to tls://10.0.0.2:5580 --fingerprint 3f2a...\n"
    "  log_to_file /dev/stdout | ./roomtone_forward --nic intel5300 --source - --to udp://10.0.0.2:5600\n";

struct record {
    unsigned char *bytes;
    size_t size;
    int64_t read_us;
};

struct counts {
    unsigned long long sent, dropped, enobufs;
};

static struct {
    const char *nic, *source, *to, *link, *fingerprint, *secret_file, *token;
    size_t queue_size;
} options = {.link = "", .fingerprint = "", .queue_size = 1024};

static struct {
    struct record *records; /* ring of options.queue_size */
    size_t first, held;
    int ended, patient;
    struct counts counts;
    pthread_mutex_t lock;
    pthread_cond_t changed;
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static volatile sig_atomic_t stopping;
static int source_failed;

static void tell(const char *format, ...) {
    va_list words;
    va_start(words, format);
    fputs("roomtone-forward: ", stderr);
    vfprintf(stderr, format, words);
    fputc('\n', stderr);
    va_end(words);
}

static int64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* --- The queue --- */

static void wait_a_little(void) { /* with the lock held: until something changes, a second at most */
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 1;
    pthread_cond_timedwait(&queue.changed, &queue.lock, &until);
}

static void count_dropped(void) {
    pthread_mutex_lock(&queue.lock);
    queue.counts.dropped++;
    pthread_mutex_unlock(&queue.lock);
}

static void count_enobufs(void) {
    pthread_mutex_lock(&queue.lock);
    queue.counts.enobufs++;
    pthread_mutex_unlock(&queue.lock);
}

static struct record take_first(void) { /* with the lock held, and a record there */
    struct record first = queue.records[queue.first];
    queue.first = (queue.first + 1) % options.queue_size;
    queue.held--;
    return first;
}

static void put_record(const unsigned char *bytes, size_t size) {
    struct record fresh = {NULL, size, now_us()};
    if (size > 0 && size <= MAX_RECORD)
        fresh.bytes = malloc(size);
    if (fresh.bytes == NULL) { /* nothing in it, too long, or no memory */
        count_dropped();
        return;
    }
    memcpy(fresh.bytes, bytes, size);
    pthread_mutex_lock(&queue.lock);
    while (queue.patient && queue.held == options.queue_size && !queue.ended && !stopping)
        wait_a_little();
    if (queue.ended || stopping) { /* told to stop: what comes now is not ours any more */
        free(fresh.bytes);
    } else {
        if (queue.held == options.queue_size) {
            free(take_first().bytes);
            queue.counts.dropped++;
        }
        queue.records[(queue.first + queue.held) % options.queue_size] = fresh;
        queue.held++;
    }
    pthread_cond_broadcast(&queue.changed);
    pthread_mutex_unlock(&queue.lock);
}

static void end_queue(void) {
    pthread_mutex_lock(&queue.lock);
    queue.ended = 1;
    pthread_cond_broadcast(&queue.changed);
    pthread_mutex_unlock(&queue.lock);
}

static int queue_is_done(void) {
    int done;
    pthread_mutex_lock(&queue.lock);
    done = (queue.ended || stopping) && queue.held == 0;
    pthread_mutex_unlock(&queue.lock);
    return done;
}

static struct record next_record(int patient) { /* bytes NULL if there is none (after a second, if patient) */
    struct record found = {NULL, 0, 0};
    pthread_mutex_lock(&queue.lock);
    if (queue.held == 0 && patient && !queue.ended && !stopping)
        wait_a_little();
    if (queue.held > 0) {
        found = take_first();
        pthread_cond_broadcast(&queue.changed);
    }
    pthread_mutex_unlock(&queue.lock);
    return found;
}

static void count_sent(int well) {
    pthread_mutex_lock(&queue.lock);
    if (well)
        queue.counts.sent++;
    else
        queue.counts.dropped++;
    pthread_mutex_unlock(&queue.lock);
}

static int counts_line(char *line, size_t size) {
    struct counts now;
    pthread_mutex_lock(&queue.lock);
    now = queue.counts;
    pthread_mutex_unlock(&queue.lock);
    return snprintf(line, size, "sent=%llu dropped=%llu enobufs=%llu", now.sent, now.dropped, now.enobufs);
}

/* --- Sources: each runs in the reading thread until its end --- */

static int source_fault(const char *what) {
    tell("cannot read %s: %s", what, strerror(errno));
    source_failed = 1;
    return -1;
}

static void take_connector_data(const unsigned char *datagram, size_t size, uint32_t index) {
    size_t at = 0;
    while (at < size) {
        uint32_t message, found, value;
        uint16_t length;
        if (size - at < NLMSG_SIZE + CN_MSG_SIZE) {
            count_dropped();
            return;
        }
        memcpy(&message, datagram + at, 4);
        memcpy(&found, datagram + at + NLMSG_SIZE, 4);
        memcpy(&value, datagram + at + NLMSG_SIZE + 4, 4);
        memcpy(&length, datagram + at + NLMSG_SIZE + 16, 2);
        if (message < NLMSG_SIZE + CN_MSG_SIZE + length || message > size - at) {
            count_dropped();
            return;
        }
        if (found == index && value == 1)
            put_record(datagram + at + NLMSG_SIZE + CN_MSG_SIZE, length);
        at += (message + 3u) & ~3u;
    }
}

static int open_connector(uint32_t index) {
    struct { /* struct sockaddr_nl, which a small libc may lack */
        unsigned short family, pad;
        uint32_t port, groups;
    } here = {AF_NETLINK, 0, 0, 0};
    int size = RECEIVE_BUFFER, joined = (int)index;
    int sock = socket(AF_NETLINK, SOCK_DGRAM, NETLINK_CONNECTOR_PROTOCOL);
    if (sock < 0)
        return -1;
    setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (bind(sock, (struct sockaddr *)&here, sizeof here) != 0 ||
        setsockopt(sock, SOL_NETLINK_LEVEL, NETLINK_JOIN, &joined, sizeof joined) != 0) {
        close(sock);
        return -1;
    }
    return sock;
}

static int read_netlink(const char *rest) {
    static unsigned char datagram[65536];
    uint32_t index = CN_INDEX;
    int sock;
    if (strncmp(rest, "fd=", 3) == 0) {
        sock = atoi(rest + 3);
    } else {
        if (*rest != '\0')
            index = (uint32_t)strtoul(rest, NULL, 0);
        sock = open_connector(index);
    }
    if (sock < 0)
        return source_fault("the kernel's connector (run as root?)");
    for (;;) {
        ssize_t size = recv(sock, datagram, sizeof datagram, 0);
        if (size == 0)
            return 0;
        if (size > 0)
            take_connector_data(datagram, (size_t)size, index);
        else if (errno == ENOBUFS)
            count_enobufs(); /* the kernel's buffer was full: that many are lost, reading goes on */
        else if (errno != EINTR)
            return source_fault("the kernel's connector");
    }
}

static int read_device(const char *path) {
    static unsigned char record[65536];
    struct timespec pause = {0, 10000000};
    int device = open(path, O_RDONLY);
    if (device < 0)
        return source_fault(path);
    for (;;) {
        ssize_t size = read(device, record, sizeof record);
        if (size > 0)
            put_record(record, (size_t)size);
        else if (size == 0)
            nanosleep(&pause, NULL); /* the driver's time-out, not the end */
        else if (errno != EINTR)
            return source_fault(path);
    }
}

static int read_lengths(FILE *stream, int big_endian) {
    static unsigned char record[65536];
    unsigned char head[2];
    while (fread(head, 1, 2, stream) == 2) {
        uint16_t size;
        memcpy(&size, head, 2);
        if (big_endian)
            size = (uint16_t)(head[0] << 8 | head[1]);
        if (fread(record, 1, size, stream) != size) {
            count_dropped();
            break;
        }
        put_record(record, size);
    }
    return ferror(stream) ? source_fault("the stream") : 0;
}

static int read_lines(FILE *stream) {
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    while ((size = getline(&line, &room, stream)) > 0)
        put_record((unsigned char *)line, (size_t)size);
    free(line);
    return ferror(stream) ? source_fault("the stream") : 0;
}

static int read_stream(const char *path) {
    FILE *stream = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    if (stream == NULL)
        return source_fault(path);
    if (strcmp(options.nic, "esp32") == 0)
        return read_lines(stream);
    return read_lengths(stream, strcmp(options.nic, "intel5300") == 0);
}

static void *read_all(void *unused) {
    const char *source = options.source;
    sigset_t signals;
    (void)unused;
    sigfillset(&signals);
    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* the other thread shall wake up for them */
    if (strcmp(source, "-") == 0)
        read_stream("-");
    else if (strncmp(source, "file:", 5) == 0)
        read_stream(source + 5);
    else if (strncmp(source, "netlink", 7) == 0)
        read_netlink(source[7] == ':' ? source + 8 : "");
    else
        read_device(source[3] == ':' ? source + 4 : "/dev/CSI_dev");
    end_queue();
    return NULL;
}

static int source_is_known(const char *source) {
    static const char *const names[] = {"netlink", "dev"};
    size_t at;
    if (strcmp(source, "-") == 0 || strncmp(source, "file:", 5) == 0)
        return strcmp(options.nic, "intel5300") == 0 || strcmp(options.nic, "atheros") == 0 ||
               strcmp(options.nic, "esp32") == 0;
    for (at = 0; at < 2; at++) {
        size_t length = strlen(names[at]);
        if (strncmp(source, names[at], length) == 0 && (source[length] == ':' || source[length] == '\0'))
            return 1;
    }
    return 0;
}

/* --- Sending --- */

static int split_target(const char *text, char *host, size_t size, const char **port) {
    const char *colon = strrchr(text, ':');
    size_t length;
    if (colon == NULL || colon == text || colon[1] == '\0')
        return -1;
    length = (size_t)(colon - text);
    if (text[0] == '[' && text[length - 1] == ']') {
        text++;
        length -= 2;
    }
    if (length == 0 || length >= size)
        return -1;
    memcpy(host, text, length);
    host[length] = '\0';
    *port = colon + 1;
    return 0;
}

static int connect_to(const char *where, int kind) {
    char host[256];
    const char *port;
    struct addrinfo hints = {.ai_socktype = kind}, *found, *one;
    struct timeval limit = {TIMEOUT_S, 0};
    int sock = -1, on = 1, unanswered = TIMEOUT_S * 1000;
    if (split_target(where, host, sizeof host, &port) != 0 || getaddrinfo(host, port, &hints, &found) != 0)
        return -1;
    for (one = found; one != NULL && sock < 0; one = one->ai_next) {
        sock = socket(one->ai_family, one->ai_socktype, one->ai_protocol);
        if (sock < 0)
            continue;
        setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        if (connect(sock, one->ai_addr, one->ai_addrlen) != 0) {
            close(sock);
            sock = -1;
        }
    }
    freeaddrinfo(found);
    if (sock >= 0 && kind == SOCK_STREAM) {
        setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        setsockopt(sock, IPPROTO_TCP, TCP_USER_TIMEOUT_OPTION, &unanswered, sizeof unanswered);
    }
    return sock;
}

static int forward_udp(const char *where) {
    int sock = connect_to(where, SOCK_DGRAM);
    if (sock < 0) {
        tell("no address %s", where);
        return 1;
    }
    while (!queue_is_done()) {
        struct record one = next_record(1);
        if (one.bytes == NULL)
            continue;
        count_sent(send(sock, one.bytes, one.size, 0) == (ssize_t)one.size);
        free(one.bytes);
    }
    close(sock);
    return 0;
}

#ifdef WITH_TLS
enum outcome { GONE, REFUSED, ACCEPTED };

static char counts_before[128] = "sent=0 dropped=0 enobufs=0";
static char run_id[17];

static void put_u32(unsigned char *at, uint32_t value) {
    at[0] = (unsigned char)(value >> 24);
    at[1] = (unsigned char)(value >> 16);
    at[2] = (unsigned char)(value >> 8);
    at[3] = (unsigned char)value;
}

static size_t frame(unsigned char *at, char kind, const void *body, size_t size) {
    at[0] = (unsigned char)kind;
    put_u32(at + 1, (uint32_t)size);
    memcpy(at + 5, body, size);
    return size + 5;
}

static int write_all(SSL *tls, const unsigned char *bytes, size_t size) {
    return size == 0 || SSL_write(tls, bytes, (int)size) == (int)size ? 0 : -1;
}

static int has_fingerprint(SSL *tls) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    char found[2 * EVP_MAX_MD_SIZE + 1];
    unsigned int size = 0, at;
    X509 *certificate = SSL_get_peer_certificate(tls);
    if (certificate == NULL || X509_digest(certificate, EVP_sha256(), digest, &size) != 1)
        size = 0;
    X509_free(certificate);
    for (at = 0; at < size; at++)
        snprintf(found + 2 * at, 3, "%02x", digest[at]);
    found[2 * size] = '\0';
    if (size > 0 && strcasecmp(found, options.fingerprint) == 0)
        return 1;
    tell("the certificate at %s has fingerprint %s, expected %s: this is not the adapter it was enrolled "
         "for; nothing was sent. Enrol again if the adapter's certificate was renewed",
         options.to + 6, found, options.fingerprint);
    return 0;
}

static void read_secret(char *secret) {
    FILE *file = fopen(options.secret_file, "r");
    secret[0] = '\0';
    if (file == NULL)
        return;
    if (fgets(secret, SECRET_SIZE, file) == NULL)
        secret[0] = '\0';
    secret[strcspn(secret, "\r\n ")] = '\0';
    fclose(file);
}

/* Written aside and moved, so that a power cut leaves the old one or the new one. */
static int keep_secret(const char *secret) {
    char aside[4096];
    int file;
    size_t size = strlen(secret);
    if (snprintf(aside, sizeof aside, "%s.new", options.secret_file) >= (int)sizeof aside)
        return -1;
    file = open(aside, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0)
        return -1;
    if (write(file, secret, size) != (ssize_t)size || write(file, "\n", 1) != 1 || fsync(file) != 0) {
        close(file);
        return -1;
    }
    return close(file) == 0 && rename(aside, options.secret_file) == 0 ? 0 : -1;
}

static int read_line(SSL *tls, char *line, size_t size) {
    size_t at = 0;
    while (at + 1 < size) {
        if (SSL_read(tls, line + at, 1) != 1)
            return -1;
        if (line[at] == '\n')
            break;
        at++;
    }
    line[at] = '\0';
    return 0;
}

static enum outcome greet(SSL *tls) {
    char secret[SECRET_SIZE], line[1024], counts[128];
    unsigned char messages[512];
    size_t size = 0;
    int kept, length;
    read_secret(secret);
    kept = secret[0] != '\0';
    if (!kept && options.token == NULL) {
        tell("no token, no kept secret: set ROOMTONE_TOKEN to what `roomtone links enroll` printed");
        return REFUSED;
    }
    length = snprintf(line, sizeof line, "roomtone-forward 1 %s %s %s %s %s\n", kept ? "session" : "token",
                      kept ? secret : options.token, options.nic, options.link, run_id);
    if (length >= (int)sizeof line || write_all(tls, (unsigned char *)line, (size_t)length) != 0 ||
        read_line(tls, line, sizeof line) != 0) {
        tell("the adapter closed before it answered");
        return GONE;
    }
    if (strcmp(line, "refused wrong_session") == 0 && options.token != NULL) {
        tell("the kept secret is not valid any more; trying the token");
        return unlink(options.secret_file) == 0 ? GONE : REFUSED;
    }
    if (strncmp(line, "session ", 8) == 0) {
        if (keep_secret(line + 8) != 0) {
            tell("cannot keep the secret in %s: %s; name another place with --secret-file. "
                 "The token is not spent",
                 options.secret_file, strerror(errno));
            return REFUSED;
        }
        size += frame(messages, 'A', "", 0);
    } else if (strcmp(line, "ok") != 0) {
        tell("the adapter refuses: %s; run `roomtone links enroll` again for a new line",
             strncmp(line, "refused ", 8) == 0 ? line + 8 : line);
        return REFUSED;
    }
    size += frame(messages + size, 'B', counts_before, strlen(counts_before));
    counts_line(counts, sizeof counts);
    size += frame(messages + size, 'C', counts, strlen(counts));
    return write_all(tls, messages, size) == 0 ? ACCEPTED : GONE;
}

/* The adapter says nothing after its answer: something to read is the end. */
static int is_open(SSL *tls) {
    char byte;
    struct timeval none = {0, 1}, limit = {TIMEOUT_S, 0};
    int sock = SSL_get_fd(tls), got;
    if (recv(sock, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof none);
    got = SSL_get_error(tls, SSL_read(tls, &byte, 1));
    setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return got == SSL_ERROR_WANT_READ; /* TLS's own business, such as a ticket */
}

static size_t fill(unsigned char *batch) { /* records that wait, a batch at most */
    size_t size = 0;
    int first = 1;
    while (size < BATCH_BYTES) {
        struct record one = next_record(first);
        int64_t age;
        if (one.bytes == NULL)
            break;
        first = 0;
        age = now_us() - one.read_us;
        batch[size] = 'R';
        put_u32(batch + size + 1, (uint32_t)(one.size + 4));
        put_u32(batch + size + 5, age > UINT32_MAX ? UINT32_MAX : (uint32_t)age);
        memcpy(batch + size + 9, one.bytes, one.size);
        size += 9 + one.size;
        count_sent(1);
        free(one.bytes);
    }
    return size;
}

static void deliver(SSL *tls) {
    static unsigned char batch[BATCH_BYTES + MAX_RECORD + 512];
    int64_t told = now_us(), shown = told;
    for (;;) {
        char counts[128];
        size_t size = fill(batch);
        int ending = queue_is_done();
        int64_t now = now_us();
        if (ending || now - told >= 1000000) {
            counts_line(counts, sizeof counts);
            size += frame(batch + size, 'C', counts, strlen(counts));
            told = now;
        }
        if (now - shown >= TOLD_EVERY_S * 1000000LL) {
            counts_line(counts, sizeof counts);
            tell("%s", counts);
            shown = now;
        }
        if (!is_open(tls) || write_all(tls, batch, size) != 0) {
            tell("connection lost");
            return;
        }
        if (ending) {
            if (SSL_shutdown(tls) == 0)
                SSL_shutdown(tls); /* waits until the adapter has read everything */
            return;
        }
    }
}

static enum outcome converse(SSL_CTX *context) {
    enum outcome result = GONE;
    int sock = connect_to(options.to + 6, SOCK_STREAM);
    SSL *tls = SSL_new(context);
    if (sock < 0) {
        tell("no connection to %s: %s", options.to + 6, strerror(errno));
    } else if (tls == NULL || SSL_set_fd(tls, sock) != 1 || SSL_connect(tls) != 1) {
        tell("no connection to %s: no TLS there", options.to + 6);
    } else if (!has_fingerprint(tls)) {
        result = REFUSED;
    } else if ((result = greet(tls)) == ACCEPTED) {
        tell("connected to %s, link %s", options.to + 6, options.link);
        deliver(tls);
        counts_line(counts_before, sizeof counts_before);
    }
    SSL_free(tls);
    if (sock >= 0)
        close(sock);
    return result;
}

static int forward_tls(void) {
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    unsigned char random[8];
    unsigned int wait_ms = 500, at;
    int accepted = 0;
    if (context == NULL || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
        RAND_bytes(random, sizeof random) != 1) {
        tell("OpenSSL cannot be used");
        return 1;
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL); /* the fingerprint says who it is */
    for (at = 0; at < sizeof random; at++)
        snprintf(run_id + 2 * at, 3, "%02x", random[at]);
    while (!queue_is_done()) {
        enum outcome result = converse(context);
        if (result == REFUSED && !accepted)
            return 1;
        if (result == ACCEPTED) {
            accepted = 1;
            wait_ms = 500;
        }
        if (stopping && result != ACCEPTED)
            break;
        if (!queue_is_done()) {
            struct timespec wait = {wait_ms / 1000, (long)(wait_ms % 1000) * 1000000L};
            nanosleep(&wait, NULL); /* a signal ends it early */
            wait_ms = wait_ms * 2 > 30000 ? 30000 : wait_ms * 2;
        }
    }
    SSL_CTX_free(context);
    return 0;
}
#endif

/* --- Command line --- */

static void stop(int number) {
    (void)number;
    stopping = 1;
}

static int usage(const char *problem) {
    fprintf(stderr, "roomtone-forward: %s\n\n%s", problem, USAGE);
    return 2;
}

static int read_options(int count, char **words) {
    static const struct option known[] = {
        {"nic", 1, NULL, 'n'},         {"source", 1, NULL, 's'},      {"to", 1, NULL, 't'},
        {"link", 1, NULL, 'l'},        {"fingerprint", 1, NULL, 'f'}, {"secret-file", 1, NULL, 'k'},
        {"queue", 1, NULL, 'q'},       {"help", 0, NULL, 'h'},        {NULL, 0, NULL, 0}};
    int letter;
    while ((letter = getopt_long(count, words, "h", known, NULL)) != -1) {
        switch (letter) {
        case 'n': options.nic = optarg; break;
        case 's': options.source = optarg; break;
        case 't': options.to = optarg; break;
        case 'l': options.link = optarg; break;
        case 'f': options.fingerprint = optarg; break;
        case 'k': options.secret_file = optarg; break;
        case 'q': options.queue_size = (size_t)strtoul(optarg, NULL, 10); break;
        case 'h': fputs(USAGE, stdout); exit(0);
        default: return usage("no such option");
        }
    }
    if (options.nic == NULL || options.source == NULL || options.to == NULL)
        return usage("needed: --nic, --source, --to");
    if (options.queue_size < 1 || options.queue_size > 1000000)
        return usage("--queue needs 1 to 1000000");
    if (!source_is_known(options.source))
        return usage("--source is of no known kind, or does not go with this NIC");
    return 0;
}

static int check_target(void) {
    if (strncmp(options.to, "udp://", 6) == 0)
        return 0;
    if (strncmp(options.to, "tls://", 6) != 0)
        return usage("--to: write tls://HOST:PORT or udp://HOST:PORT");
#ifdef WITH_TLS
    if (strlen(options.fingerprint) != 64 || options.link[0] == '\0')
        return usage("tls:// needs --link and --fingerprint (64 digits), see `roomtone links enroll`");
    return 0;
#else
    return usage("this program was built without TLS (-DWITH_TLS); only udp:// works");
#endif
}

static void name_secret_file(void) {
    static char path[4096];
    const char *home = getenv("HOME");
    if (options.secret_file == NULL) {
        snprintf(path, sizeof path, "%s/.roomtone-forward-%s", home == NULL ? "." : home, options.link);
        options.secret_file = path;
    }
    options.token = getenv("ROOMTONE_TOKEN");
    if (options.token != NULL && *options.token == '\0')
        options.token = NULL;
}

int main(int count, char **words) {
    struct sigaction action;
    pthread_t reader;
    char line[128];
    int result = read_options(count, words);
    if (result == 0)
        result = check_target();
    if (result != 0)
        return result;
    name_secret_file();
    queue.records = calloc(options.queue_size, sizeof *queue.records);
    queue.patient = strncmp(options.source, "file:", 5) == 0;
    memset(&action, 0, sizeof action);
    action.sa_handler = stop;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (queue.records == NULL || pthread_create(&reader, NULL, read_all, NULL) != 0) {
        tell("no memory");
        return 1;
    }
#ifdef WITH_TLS
    if (strncmp(options.to, "tls://", 6) == 0)
        result = forward_tls();
    else
#endif
        result = forward_udp(options.to + 6);
    counts_line(line, sizeof line);
    tell("done, %s", line);
    fflush(stderr);
    _exit(result != 0 || source_failed ? 1 : 0); /* not exit: the reader may hold standard input */
}
