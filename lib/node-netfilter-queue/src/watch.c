#include "watch.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void *run(void *argument)
{
  struct nfq_watch *watch = argument;
  struct epoll_event event;

  for (;;) {
    int count = epoll_wait(watch->epoll_fd, &event, 1, -1);
    if (count < 0 && errno != EINTR) return NULL;
    if (count == 1 && event.data.fd == watch->stop_fd) return NULL;
    if (count == 1) watch->ready(watch->context);
  }
}

/* Signals are for the threads that expect them. */
static int start_thread(struct nfq_watch *watch)
{
  sigset_t all, before;

  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = pthread_create(&watch->thread, NULL, run, watch);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return error;
}

static int add(const struct nfq_watch *watch, int fd, uint32_t events)
{
  struct epoll_event event = { .events = events, .data.fd = fd };
  return epoll_ctl(watch->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
}

int nfq_watch_start(struct nfq_watch *watch, int fd, void (*ready)(void *context), void *context)
{
  *watch = (struct nfq_watch){
    .epoll_fd = epoll_create1(EPOLL_CLOEXEC),
    .stop_fd = eventfd(0, EFD_CLOEXEC),
    .watched_fd = fd,
    .ready = ready,
    .context = context,
  };
  int error = watch->epoll_fd < 0 || watch->stop_fd < 0 ? errno : 0;
  if (error == 0) error = add(watch, watch->stop_fd, EPOLLIN);
  if (error == 0) error = add(watch, fd, EPOLLONESHOT);
  if (error == 0) error = start_thread(watch);
  if (error == 0) return 0;

  if (watch->epoll_fd >= 0) close(watch->epoll_fd);
  if (watch->stop_fd >= 0) close(watch->stop_fd);
  return -error;
}

int nfq_watch_again(struct nfq_watch *watch)
{
  struct epoll_event event = { .events = EPOLLIN | EPOLLONESHOT, .data.fd = watch->watched_fd };
  return epoll_ctl(watch->epoll_fd, EPOLL_CTL_MOD, watch->watched_fd, &event) == 0 ? 0 : -errno;
}

void nfq_watch_stop(struct nfq_watch *watch)
{
  eventfd_write(watch->stop_fd, 1);
  pthread_join(watch->thread, NULL);
  close(watch->epoll_fd);
  close(watch->stop_fd);
}
