# edge_embed(<room> <folder>)
#
# Takes the files of a folder into the room's library, as the room's function assets() gives them (its src/assets.hpp declares it). A file of that name is written into the build
# whenever one of them has changed.
function(edge_embed room folder)
  set(dir ${CMAKE_SOURCE_DIR}/controller/${room}/${folder})
  file(GLOB files CONFIGURE_DEPENDS ${dir}/*)
  set(made ${CMAKE_BINARY_DIR}/embedded/${room}/assets.cpp)
  set(script ${CMAKE_SOURCE_DIR}/controller/cmake/embed.cmake)
  add_custom_command(OUTPUT ${made} COMMAND ${CMAKE_COMMAND} -DROOM=${room} "-DFILES=${files}" -DMADE=${made} -P ${script} DEPENDS ${files} ${script} VERBATIM)
  target_sources(edgetrust_${room} PRIVATE ${made})
endfunction()

# As a script: writes that file. A raw string holds whatever the files say.
if(CMAKE_SCRIPT_MODE_FILE)
  set(entries)
  foreach(file IN LISTS FILES)
    get_filename_component(name ${file} NAME)
    file(READ ${file} content)
    string(FIND "${content}" ")embedded\"" end)
    if(NOT end EQUAL -1)
      message(FATAL_ERROR "${file} holds what ends a raw string here")
    endif()
    string(APPEND entries "    {\"${name}\", R\"embedded(${content})embedded\"},\n")
  endforeach()
  file(WRITE ${MADE} "#include \"assets.hpp\"\n\nnamespace edgetrust::${ROOM} {\nnamespace {\n\nconstexpr Asset kAssets[] = {\n${entries}};\n\n}  // namespace\n\nstd::span<const Asset> assets() { return kAssets; }\n\n}  // namespace edgetrust::${ROOM}\n")
endif()
