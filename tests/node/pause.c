/* The first process of a pod: it holds the pod's namespaces until it is told to end. With an argument it ends at once. */
#include <signal.h>

int main(int argc, char** argv) {
  sigset_t ends;
  int number;
  (void)argv;
  if (argc > 1) return 0;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  sigprocmask(SIG_BLOCK, &ends, 0);
  return sigwait(&ends, &number);
}
