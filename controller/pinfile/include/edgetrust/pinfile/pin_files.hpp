#pragma once
// ports::PinFiles: the guide's pinning-config.json as a document, never as text.
//
// Called by: main makes one, reconcile uses it. Threads: any. Errors: as the port says.
#include "edgetrust/ports/pin_file.hpp"

#include <memory>

namespace edgetrust::pinfile {

std::unique_ptr<ports::PinFiles> make_pin_files();

}  // namespace edgetrust::pinfile
