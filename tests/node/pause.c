/* The first process of a pod: it holds the pod's namespaces until it is told to end. */
#include <signal.h>

int main(void) {
  sigset_t ends;
  int number;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  sigprocmask(SIG_BLOCK, &ends, 0);
  return sigwait(&ends, &number);
}
